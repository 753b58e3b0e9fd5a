"""Two runs at once: one writes after the other, and a run that waits says for whom."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fluxstead.tree import lock
from fluxstead.tree.delivery import deliver, look
from fluxstead.tree.lock import Busy, locked
from tests.tree.cut_off import FIRST, SECOND, THIRD, desired, disk, leftovers, written

REPOSITORY = Path(__file__).parents[2]


def process(root: Path, command: str) -> subprocess.Popen[str]:
    """`delivering.py` in a process of its own."""
    words = [sys.executable, "-m", "tests.tree.delivering", str(root), command]
    return subprocess.Popen(words, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def held(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another run has the project, until its standard input ends."""
    with process(root, "hold") as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        try:
            yield other
        finally:
            other.stdin.close()


def test_runs_that_write_different_trees_at_once_leave_no_file_that_nobody_owns(tmp_path: Path) -> None:
    """Before, each recorded its own files only, and those of the other blocked every run after them."""
    go = tmp_path / "go"
    go.touch()
    runs = [process(tmp_path, "often") for _ in range(3)]
    for run, files in zip(runs, (FIRST, SECOND, THIRD), strict=True):
        assert run.stdin is not None
        json.dump(files, run.stdin)
        run.stdin.close()
        run.stdin = None
    lines = [run.stdout.readline() for run in runs if run.stdout]
    assert lines == ["once\n"] * 3
    for _ in range(40):
        assert not deliver(desired(tmp_path, FIRST)).findings
    go.unlink()
    answers = [json.loads(run.communicate()[0]) for run in runs]
    assert not [answer for answer in answers if answer["refused"]]
    assert sum(answer["count"] for answer in answers) > 3
    written(tmp_path, THIRD)
    tree = disk(tmp_path / "generated/test")
    assert {path for path, text in tree.items() if text is not None} == {*THIRD, ".fluxstead.json"}
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("act", [deliver, look])
def test_a_run_that_waits_too_long_says_who_has_the_project(act: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process and its command, so that one can end it."""
    written(tmp_path, FIRST)
    before = disk(tmp_path)
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    with held(tmp_path) as other:
        [finding] = (deliver if act is deliver else look)(desired(tmp_path, SECOND)).findings
        assert finding.id == "tree/locked"
        assert f"process {other.pid} ({sys.executable} -m tests.tree.delivering" in finding.what
    assert disk(tmp_path) == before


def test_a_run_waits_says_so_and_goes_on_when_the_other_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other run ends as soon as this one has named it."""
    monkeypatch.setattr(lock, "_QUIET", 0.0)
    lines: list[str] = []
    with held(tmp_path) as other:

        def heard(line: str) -> None:
            lines.append(line)
            assert other.stdin is not None
            other.stdin.close()

        with locked(tmp_path, alone=True, say=heard):
            pass
    [line] = lines
    assert line.startswith(f"waiting for process {other.pid} (")


def test_a_killed_run_holds_nothing(tmp_path: Path) -> None:
    """The lock ends with the process, and is no file."""
    with held(tmp_path) as other:
        other.kill()
    written(tmp_path, FIRST)
    assert {path.name for path in tmp_path.iterdir()} == {"generated", "clusters"}


def test_those_that_only_look_do_not_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview while a check runs."""
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    with locked(tmp_path, alone=False, say=print):
        assert not look(desired(tmp_path, FIRST)).findings
        with pytest.raises(Busy), locked(tmp_path, alone=True, say=print):
            pass


def test_without_locks_it_is_said_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on some file systems over a network."""

    def refusing(*_: object) -> None:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr("fcntl.flock", refusing)
    lines: list[str] = []
    assert not deliver(desired(tmp_path, FIRST)._replace(say=lines.append)).findings
    assert (tmp_path / "generated/test/apps.yaml").read_text() == FIRST["apps.yaml"]
    [line] = lines
    assert "no two runs write the tree at once" in line
