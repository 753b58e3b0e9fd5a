"""One writer per project at a time: a lock on its folder, which ends with the process and leaves no file behind."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PATIENCE = 30.0
"""Seconds that a run waits for another; writing a tree takes a fraction of one."""
_QUIET = 2.0
"""Seconds until it says that it is waiting."""
_EVERY = 0.02
_NO_LOCKS = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL})
"""What file systems that cannot lock a folder answer, some of them over a network."""


class Busy(Exception):  # noqa: N818 -- nothing is wrong
    """Another run holds the project. `holder`: which one, as far as the system can tell."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextlib.contextmanager
def locked(root: Path, *, alone: bool, say: Callable[[str], object]) -> Iterator[None]:
    """Hold the project: `alone` to write, shared with others to look. Says through `say` what it is waiting for.

    Raises Busy after `PATIENCE` seconds; OSError where there is no such folder.
    """
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _take(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, say)
        yield
    finally:
        os.close(handle)


def _take(handle: int, how: int, say: Callable[[str], object]) -> None:
    start = time.monotonic()
    said = False
    while True:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = time.monotonic() - start
            if waited > PATIENCE:
                raise Busy(_holder(handle)) from None
            if waited > _QUIET and not said:
                say(f"waiting for {_holder(handle)}, which holds the tree, for {PATIENCE:.0f} s at most")
                said = True
            time.sleep(_EVERY)
        except OSError as problem:
            if problem.errno not in _NO_LOCKS:
                raise
            say("this file system has no locks: make sure that no two runs write the tree at once")
            return
        else:
            return


def _holder(handle: int) -> str:
    """The process that holds the lock, by its number and command line: /proc/locks, which Linux has."""
    inode = str(os.fstat(handle).st_ino)
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if "->" not in fields and "FLOCK" in fields and fields[-3].rpartition(":")[2] == inode:
                return f"process {fields[-4]}{_command(fields[-4])}"
    return "another run"


def _command(process: str) -> str:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{process}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        return f" ({b' '.join(words).decode(errors='replace')[:100]})"
    return ""
