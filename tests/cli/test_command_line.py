"""What the command line says, from wherever it is started and to whoever reads it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fluxstead.cli.formats import coloured
from fluxstead.cli.progress import progress
from fluxstead.core.findings import Finding
from tests.checks.repository import render
from tests.conftest import REPOSITORY, Project

MDNS = "dns/mdns"


def run(*words: str, at: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """`./run WORDS`, started in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "fluxstead.cli", *words],
        cwd=at,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def on_terminal(*words: str, at: Path, **settings: str) -> str:
    """What a terminal would show of a command."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), **settings}
    with subprocess.Popen([sys.executable, "-m", "fluxstead.cli", *words], cwd=at, env=env, stdout=theirs, stderr=theirs):
        os.close(theirs)
        shown = b""
        # Once the other side has ended, Linux answers a reading of a terminal with EIO.
        while piece := _read(ours):
            shown += piece
    os.close(ours)
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_the_version_is_told(tmp_path: Path) -> None:
    assert run("--version", at=tmp_path).stdout.startswith("fluxstead 0.")


def test_a_command_finds_its_project_from_a_folder_inside_it(reference: Project) -> None:
    """As Git does."""
    found = run("check", "--format", "json", at=reference.root / "nodes")
    assert MDNS in found.stdout, found.stderr


def test_a_project_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run("check", "--project", "/nosuch", at=tmp_path)
    assert (done.returncode, done.stderr) == (2, "fluxstead: there is no folder /nosuch\n")


def test_warnings_that_were_seen_are_left_out_and_counted(reference: Project) -> None:
    whole, one, none = (run("check", *words, at=reference.root).stderr for words in ((), ("--quiet", MDNS), ("--quiet", "all")))
    assert f"[{MDNS}]" in whole
    assert f"[{MDNS}]" not in one
    assert f"fluxstead: 1 warning not shown: {MDNS}\n" in one
    assert "[ingress/retired]" in one
    assert "[" not in none.partition(" not shown")[0]


def test_an_error_is_never_left_out(reference: Project) -> None:
    reference.replace("nodes/k3s1.yaml", "address: 192.168.86.71", "address: 10.0.0.1")
    done = run("check", "--quiet", "all", "--quiet", "nodes/address-outside", at=reference.root)
    assert done.returncode == 1
    assert "[nodes/address-outside]" in done.stderr


def test_a_check_that_is_not_there_cannot_be_left_out(reference: Project) -> None:
    done = run("check", "--quiet", "dns/mdsn", at=reference.root)
    assert done.returncode == 2
    assert "no check is called dns/mdsn; ./run check --list names them" in done.stderr


@pytest.mark.parametrize(("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_severities_stand_out_on_a_terminal(settings: dict[str, str], coloured: bool, reference: Project) -> None:
    """And nowhere else: https://no-color.org."""
    shown = on_terminal("check", at=reference.root, **settings)
    assert ("\x1b[1;33mwarning\x1b[0m [ingress/retired]" in shown) is coloured
    assert "\x1b" not in run("check", at=reference.root).stderr


def test_progress_is_a_line_each_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(2, "hosts") as tell:
        tell("a: fine")
        tell("b: refused")
    assert capsys.readouterr().err == "1 of 2 hosts: a: fine\n2 of 2 hosts: b: refused\n"


def test_progress_leaves_nothing_behind_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress(1, "hosts") as tell:
        tell("a: fine")
    shown = capsys.readouterr().err
    assert "\n" not in shown
    assert shown.endswith("\r\x1b[K")


def test_progress_of_what_is_done_soon_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(1, "answers", after=60) as tell:
        tell("nodes")
    assert capsys.readouterr().err == ""


def test_progress_of_what_takes_longer_is_shown_from_then_on(capsys: pytest.CaptureFixture[str]) -> None:
    """Also while nothing answers."""
    with progress(2, "answers", after=0.01) as tell:
        tell("nodes")
        time.sleep(0.3)
        tell("pods")
    assert capsys.readouterr().err == "1 of 2 answers\n2 of 2 answers: pods\n"


def test_the_first_look_at_a_new_tree_is_no_wall(reference: Project) -> None:
    done = run("render", "--check", at=reference.root)
    assert done.returncode == 1
    assert done.stdout.count("\n") < 600
    assert "more files: ./run render writes them, and git diff shows them\n" in done.stdout
    written = run("render", at=reference.root).stdout
    assert written.count("\n") < 60
    assert "the tree is written (create " in written


def test_what_a_renamed_stack_leaves_is_named(reference: Project) -> None:
    render(reference)
    assert not left_behind(reference)
    (reference.root / "Pulumi.k3s-flux.yaml").rename(reference.root / "Pulumi.home.yaml")
    for file in (reference.root / "nodes").glob("*.yaml"):
        file.write_text(file.read_text().replace("cluster: k3s-flux", "cluster: home"))
    [told] = left_behind(Project(reference.root, "home"))
    assert told.what == "generated/k3s-flux is the tree of a stack that no Pulumi.k3s-flux.yaml describes"
    assert "git rm -r generated/k3s-flux clusters/k3s-flux" in told.fix


def left_behind(project: Project) -> list[Finding]:
    """What is said of trees of other stacks."""
    return [one for one in project.run().findings if one.id == "tree/left-behind"]


def test_a_folder_of_a_repository_is_told_from_its_root(tmp_path: Path) -> None:
    """Flux begins every path at the root."""
    (tmp_path / ".git").mkdir()
    tree = tmp_path / "kubernetes"
    (tree / "clusters/home").mkdir(parents=True)
    assert f"{tree} is a folder of the repository {tmp_path}, where" in run("check", "--tree", str(tree), at=tmp_path).stderr


def test_severities_stand_out_also_where_a_path_has_spaces() -> None:
    text = "apps/my site/a.yaml:3: error [a/b] what: it is\n    because: an error [x]\n"
    assert coloured(text).startswith("apps/my site/a.yaml:3: \x1b[")
    assert coloured(text).count("\x1b[0m") == 1
