"""Where Git repositories are, found without Git."""

from __future__ import annotations

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
