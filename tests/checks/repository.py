"""A project in a real Git repository: written, committed, looked at."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fluxstead.core.findings import Finding
from fluxstead.tree.entry import entry_path, entry_text
from fluxstead.tree.owned import compare, write
from tests.conftest import Project


def as_somebody(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """From here on, Git is used by somebody without settings."""
    monkeypatch.setenv("HOME", str(home))
    for key in [key for key in os.environ if key.startswith("GIT_")]:
        monkeypatch.delenv(key)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "a")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.test")


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True).stdout.strip()


def render(project: Project) -> Path:
    """Write the tree; gives its folder."""
    assembled = project.run().assembled
    assert assembled is not None
    write(project.root, assembled.tree.directory, compare(project.root, assembled.tree.directory, assembled.files))
    entry = project.root / entry_path(project.stack)
    if not entry.exists():
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.write_text(entry_text(project.stack, assembled.tree.directory))
    return project.root / assembled.tree.directory


def commit(root: Path, message: str = "a change") -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)


def moves(project: Project) -> list[Finding]:
    return [finding for finding in project.run().findings if finding.id.startswith("moves/")]
