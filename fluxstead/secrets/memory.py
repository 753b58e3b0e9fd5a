"""Folders that no disk has, for what an editor needs as a file; none outlives the run that made it for long."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fluxstead.secrets.tools import ToolTrouble

_PREFIX = "fluxstead-edit-"


@contextlib.contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder in memory, which goes with the run. Raises ToolTrouble where there is none."""
    above = _in_memory()
    if above is None:
        raise ToolTrouble("there is no folder in memory here, and an editor would leave plain text on the disk: ./run secrets set")
    _sweep(above)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=above))
    try:
        # The lock ends with the process, however that ends: whoever gets it may remove the folder.
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_EX)
    except FileNotFoundError:
        raise ToolTrouble("another run removed this one's folder before it was used: once more") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _sweep(above: Path) -> None:
    """Remove what runs left that were killed."""
    for folder in above.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)


def _in_memory() -> Path | None:
    for folder in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108
        if folder and Path(folder).is_dir() and os.access(folder, os.W_OK) and _is_memory(Path(folder)):
            return Path(folder)
    return None


def _is_memory(folder: Path) -> bool:
    """statfs(2): tmpfs or ramfs."""
    mounts = Path("/proc/self/mounts")
    fields = (line.split() for line in mounts.read_text(encoding="utf-8").splitlines()) if mounts.exists() else ()
    held = [one for one in fields if folder.resolve().is_relative_to(one[1])]
    return bool(held) and max(held, key=lambda one: len(one[1]))[2] in {"tmpfs", "ramfs"}
