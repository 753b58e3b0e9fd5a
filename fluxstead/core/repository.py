"""Where Git repositories are, found without Git, and what Git has to know when it is asked about one."""

from __future__ import annotations

import os
from pathlib import Path


def repositories_around(root: Path) -> list[Path]:
    """The folders with a `.git`, be it a folder or a file, that `root` is or is inside; the innermost first."""
    folder = root.resolve()
    return [above for above in (folder, *folder.parents) if _has_git(above)]


def _has_git(folder: Path) -> bool:
    try:
        return (folder / ".git").exists()
    except OSError:  # a folder above that we may not look into
        return False


_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
"""What Git tells its hooks about a folder other than the one asked about here."""


def git_environment(*, known: bool) -> dict[str, str]:
    """For a `git` that asks nobody, in English. `known`: whether the folder's own repository was found, which is then meant."""
    kept = {name: value for name, value in os.environ.items() if not known or name not in _OF_HOOKS}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
