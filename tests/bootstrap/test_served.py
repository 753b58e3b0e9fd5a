"""Whether Git serves the tree that lies here, asked of real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.bootstrap.served import ask_git, not_served
from tests.checks.repository import git

COMMANDS = ["    git add generated clusters secrets", '    git commit -m "The tree of home"', "    git push"]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A project that was pushed."""
    folder = tmp_path / "here"
    (folder / "generated").mkdir(parents=True)
    (folder / "generated/a.yaml").write_text("a: 1\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    git(tmp_path, "init", "--quiet", "--bare", "there.git")
    git(folder, "push", "--quiet", str(tmp_path / "there.git"), "main")
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@example.test", "commit", "--quiet", "--message", "a")


def why_not(here: Path, url: str = "", branch: str = "main") -> str | None:
    there = url or str(here.parent / "there.git")
    return not_served(ask_git(here, there, branch), there, branch, "home")


def test_what_was_pushed_is_served(here: Path) -> None:
    (here / "notes.txt").write_text("of no tree\n")
    assert why_not(here) is None


@pytest.mark.parametrize("path", ["generated/a.yaml", "clusters/home/tree.yaml", "secrets/home/x.yaml"])
def test_what_is_not_committed_is_named_with_the_commands(here: Path, path: str) -> None:
    (here / path).parent.mkdir(parents=True, exist_ok=True)
    (here / path).write_text("a: 2\n")
    found = why_not(here)
    assert found
    assert path in found
    assert found.splitlines()[-3:] == COMMANDS


def test_what_was_not_pushed_is_told(here: Path) -> None:
    (here / "generated/a.yaml").write_text("a: 2\n")
    commit(here)
    found = why_not(here)
    assert found
    assert "Flux would apply another tree" in found
    assert found.splitlines()[-3:] == COMMANDS
    assert "has no commit" in (why_not(here, branch="live") or "")


def test_a_server_that_does_not_answer_and_a_folder_without_commits_end_in_words(here: Path, tmp_path: Path) -> None:
    assert "Git does not answer" in (why_not(here, url=str(tmp_path / "nowhere.git")) or "")
    bare = tmp_path / "new"
    bare.mkdir()
    assert "no commit" in (why_not(bare) or "")
    assert "token" not in (why_not(here, url="http://me:token@127.0.0.1:1/a.git") or "")
