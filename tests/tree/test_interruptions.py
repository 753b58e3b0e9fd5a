"""Killed, interrupted or cut off from power: the next run ends with the tree that an undisturbed one would have written.

Real processes, which end themselves at each call to the system in turn: `cut_off.py`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tree.cut_off import MEMORY

REPOSITORY = Path(__file__).parents[2]
RECORD = "generated/test/.fluxstead.json"


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder that is written to without waiting for a disk."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


def seen(which: str) -> list[Any]:
    """The outcomes of all runs of one kind."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.tree.cut_off", folder, which], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answer: list[Any] = json.loads(done.stdout)
        return answer


@pytest.mark.parametrize(("which", "calls"), [("the first tree", 80), ("another tree", 50), ("no file", 25)])
def test_killed_at_any_call_the_next_run_carries_on(which: str, calls: int) -> None:
    """Every file is the old one or the new one; the next run, of this description or another, ends as if nothing had been.

    Nothing is left over, and a hand that edited a file meanwhile is noticed.
    """
    outcomes = seen(which)
    assert len(outcomes) >= calls
    assert {"open", "write", "fsync", "replace"} <= {one["call"].partition(" ")[2] for one in outcomes}
    assert not [one for one in outcomes if one["problems"]]


def test_ctrl_c_leaves_nothing_behind() -> None:
    """Whether it comes before or after a call."""
    outcomes = seen("Ctrl-C")
    assert len(outcomes) >= 100
    assert not [one for one in outcomes if one["problems"]]


def test_what_is_replaced_is_on_the_disk_before_and_where_it_stands_before_the_record_says_so() -> None:
    """A power cut loses what was not synced: an empty file under a name that the record calls whole."""
    trace = [tuple(one) for one in seen("trace")]
    replaced = [number for number, one in enumerate(trace) if one[0] == "replace"]
    records = [number for number in replaced if trace[number][2] == RECORD]
    assert len(replaced) == 6
    assert records == [replaced[0], replaced[-1]], "the record of both trees first, that of the new one last"
    for number in replaced:
        calls = [one[0] for one in trace[:number] if one[1] == trace[number][1]]
        assert calls[-1] == "fsync"
    folder_of_record = RECORD.rpartition("/")[0]
    assert ("fsync", folder_of_record, "") in trace[replaced[0] : replaced[1]]
    assert ("fsync", folder_of_record, "") in trace[replaced[-1] :]
    moved = [number for number, one in enumerate(trace) if one[0] in {"replace", "unlink"} and replaced[0] < number < replaced[-1]]
    for number in moved:
        path = trace[number][2] or trace[number][1]
        folder = path.rpartition("/")[0]
        gone = ("rmdir", folder, "") in trace
        assert ("fsync", folder.rpartition("/")[0] if gone else folder, "") in trace[number : replaced[-1]], path


@pytest.mark.reference
def test_ctrl_c_ends_the_command_without_a_traceback(in_memory: Path) -> None:
    """At its first, its middle and its last file, and while it still thinks."""
    for file in REPOSITORY.glob("Pulumi*.yaml"):
        shutil.copy(file, in_memory)
    shutil.copytree(REPOSITORY / "nodes", in_memory / "nodes")
    statuses = []
    for call in (1, 120, 520, 10_000):
        shutil.rmtree(in_memory / "generated", ignore_errors=True)
        script = (
            "import os, runpy, signal, sys; from tests.tree.cut_off import Counting;"
            # As in the foreground; a shell's background ignores it, and Python then leaves it so.
            "signal.signal(signal.SIGINT, signal.default_int_handler);"
            f"Counting(lambda count, *_: os.kill(os.getpid(), signal.SIGINT) if count == {call} else None);"
            "sys.argv[1:] = ['render', '--project', sys.argv[1]]; runpy.run_module('fluxstead.cli', run_name='__main__')"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(in_memory)], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        statuses.append(done.returncode)
        assert "Traceback" not in done.stderr
        assert ("fluxstead: interrupted" in done.stderr) == (done.returncode == 130)
        assert not list(in_memory.rglob(".fluxstead-*"))
    assert statuses == [130, 130, 130, 0]


@pytest.mark.reference
def test_who_has_read_enough_gets_no_traceback(tmp_path: Path) -> None:
    """`./run render --check | head -1`."""
    shutil.copy(REPOSITORY / "Pulumi.k3s-flux.yaml", tmp_path)
    shutil.copytree(REPOSITORY / "nodes", tmp_path / "nodes")
    words = [sys.executable, "-m", "fluxstead.cli", "render", "--check", "--project", str(tmp_path)]
    with subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        said = run.stderr.read()
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
