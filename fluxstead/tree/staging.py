"""Writing so that a file is there whole or not at all, whatever ends the run: a full disk, a signal, a power cut.

Everything is written beside its target first, and is on the disk before the first target is touched; what fails until then leaves
nothing behind.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

SCRATCH = re.compile(r"\.fluxstead-[a-z0-9_]{8}")
"""The names of files that are being written."""
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What a file system answers that cannot put a folder on the disk by itself."""


class NotWritten(Exception):  # noqa: N818 -- the disk's error, told with its place
    """The disk refused. `begun`: whether some files were replaced already, so that the next run has to carry on."""

    def __init__(self, file: Path, problem: OSError, *, begun: bool) -> None:
        super().__init__(f"{file}: {problem.strerror}")
        self.file = file
        self.problem = problem
        self.begun = begun


def scratch_of(target: Path, label: str = "") -> Path:
    """Where a file is written before it takes its place; with a `label`, one of several that are to take it in turn."""
    name = hashlib.sha256(f"{target.name}/{label}".encode()).hexdigest()[:8]
    return target.with_name(f".fluxstead-{name}")


@dataclass(slots=True)
class Staging:
    """Files on their way to their places. Every method raises NotWritten where the disk refuses."""

    begun: bool = False
    _waiting: dict[Path, None] = field(default_factory=dict)
    _folders: list[Path] = field(default_factory=list)
    _unsettled: dict[Path, None] = field(default_factory=dict)

    def put(self, target: Path, text: str, label: str = "") -> None:
        """Write `text` beside `target`, in folders that are made where they are missing."""
        try:
            self._make(target.parent)
            handle = self._open(scratch_of(target, label))
            try:
                left = memoryview(text.encode("utf-8", "surrogateescape"))
                while left:
                    left = left[os.write(handle, left) :]
                os.fchmod(handle, 0o644)
            finally:
                os.close(handle)
        except OSError as problem:
            raise NotWritten(target, problem, begun=self.begun) from problem

    def settle(self) -> None:
        """Put on the disk what was written beside its target."""
        # All are written by now: the first wait takes the others' data along, and a thousand files cost little more than one.
        for scratch in self._waiting:
            _sync(scratch, begun=self.begun)

    def move(self, target: Path, label: str = "") -> None:
        """Give a file its place."""
        scratch = scratch_of(target, label)
        try:
            os.replace(scratch, target)  # noqa: PTH105 -- one call, which the tests end the run at
        except OSError as problem:
            raise NotWritten(target, problem, begun=self.begun) from problem
        self.begun = True
        del self._waiting[scratch]
        self._unsettled[target.parent] = None

    def remove(self, target: Path, up_to: Path) -> None:
        """Take a file away, and the folders below `up_to` that are empty then."""
        try:
            target.unlink(missing_ok=True)
        except OSError as problem:
            raise NotWritten(target, problem, begun=self.begun) from problem
        self.begun = True
        self._unsettled[remove_empty(target.parent, up_to)] = None

    def settle_folders(self) -> None:
        """Put on the disk which files stand where."""
        for folder in self._unsettled:
            if folder.is_dir():  # it may have been emptied, and removed, since
                _sync(folder, begun=self.begun)
        self._unsettled.clear()

    def finish(self) -> None:
        """All have found their places."""
        self.settle_folders()
        self._folders.clear()

    def abandon(self) -> None:
        """Take away what has not found its place; what the disk does not let go of, the next run removes."""
        for path in self._waiting:
            with contextlib.suppress(OSError):
                path.unlink()
        for folder in reversed(self._folders):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _open(self, scratch: Path) -> int:
        # Noted before it is there: an interrupt between the two would leave it.
        self._waiting[scratch] = None
        try:
            return os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            del self._waiting[scratch]
            raise

    def _make(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            self._folders.append(new)
            new.mkdir(exist_ok=True)
            self._unsettled[new.parent] = None


def remove_empty(folder: Path, up_to: Path) -> Path:
    """Take empty folders away, from `folder` upwards and not `up_to` itself; gives the first one that stays."""
    while folder != up_to:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            break
        folder = folder.parent
    return folder


def _sync(path: Path, *, begun: bool) -> None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        except OSError as problem:
            if problem.errno not in _CANNOT_SYNC:
                raise
        finally:
            os.close(handle)
    except OSError as problem:
        raise NotWritten(path, problem, begun=begun) from problem
