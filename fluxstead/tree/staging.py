"""Writing so that a file is there completely or not at all, whatever ends the run: a full disk, a signal, a power cut.

Everything is written next to its target first, and is on the disk before the first target is touched; a failure before that leaves
nothing behind.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SCRATCH = re.compile(r"\.fluxstead-[a-z0-9_]{8}")
"""The names of files while they are being written."""
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What a file system that cannot sync a folder answers."""


class NotWritten(Exception):  # noqa: N818 -- the disk's error, with its place
    """The disk refused. `begun`: whether some files were replaced already, so that the next run has to resume."""

    def __init__(self, file: Path, problem: OSError, *, begun: bool) -> None:
        super().__init__(f"{file}: {problem.strerror}")
        self.file = file
        self.problem = problem
        self.begun = begun


def scratch_of(target: Path, label: str = "") -> Path:
    """Where a file is written before it is moved into place; with a `label`, one of several that take that place in turn."""
    name = hashlib.sha256(f"{target.name}/{label}".encode()).hexdigest()[:8]
    return target.with_name(f".fluxstead-{name}")


@dataclass(slots=True)
class Staging:
    """Files on their way to their places. Every method raises NotWritten where the disk refuses."""

    begun: bool = False
    _waiting: dict[Path, None] = field(default_factory=dict)
    _folders: list[Path] = field(default_factory=list)
    _unsettled: dict[Path, None] = field(default_factory=dict)

    def put(self, target: Path, text: str, label: str = "", mode: int = 0o644) -> None:
        """Write `text` next to `target`, creating missing folders; nobody else reads it before it has its mode."""
        try:
            self._make(target.parent)
            handle = self._open(scratch_of(target, label), mode)
            try:
                left = memoryview(text.encode("utf-8", "surrogateescape"))
                while left:
                    left = left[os.write(handle, left) :]
                os.fchmod(handle, mode)
            finally:
                os.close(handle)
        except OSError as problem:
            raise NotWritten(target, problem, begun=self.begun) from problem

    def settle(self) -> None:
        """Sync to the disk what was written next to its target."""
        # All are written by now: the first sync takes the others' data along, so a thousand files cost little more than one.
        for scratch in self._waiting:
            _sync(scratch, begun=self.begun)

    def move(self, target: Path, label: str = "") -> None:
        """Move a file into place."""
        scratch = scratch_of(target, label)
        try:
            os.replace(scratch, target)  # noqa: PTH105 -- one call, which the tests end the run at
        except OSError as problem:
            raise NotWritten(target, problem, begun=self.begun) from problem
        self.begun = True
        del self._waiting[scratch]
        self._unsettled[target.parent] = None

    def remove(self, target: Path, up_to: Path) -> None:
        """Remove a file, and the folders below `up_to` that are then empty."""
        try:
            target.unlink(missing_ok=True)
        except OSError as problem:
            raise NotWritten(target, problem, begun=self.begun) from problem
        self.begun = True
        self._unsettled[remove_empty(target.parent, up_to)] = None

    def settle_folders(self) -> None:
        """Sync to the disk which files are where."""
        for folder in self._unsettled:
            if folder.is_dir():  # it may have been emptied, and removed, since
                _sync(folder, begun=self.begun)
        self._unsettled.clear()

    def finish(self) -> None:
        """Everything is in place."""
        self.settle_folders()
        self._folders.clear()

    def abandon(self) -> None:
        """Remove what was not moved into place; what the disk does not let go of, the next run removes."""
        for path in self._waiting:
            with contextlib.suppress(OSError):
                path.unlink()
        for folder in reversed(self._folders):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _open(self, scratch: Path, mode: int) -> int:
        # Noted before it is there: an interrupt between the two would leave it behind.
        self._waiting[scratch] = None
        try:
            return os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
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


def replace_files(texts: Mapping[Path, str], mode: int = 0o644) -> None:
    """Put these files into place, each whole, once all of them are on the disk. Raises NotWritten."""
    staging = Staging()
    try:
        for target, text in texts.items():
            put_anew(staging, target, text, mode)
        staging.settle()
        for target in texts:
            staging.move(target)
        staging.finish()
    finally:
        staging.abandon()


def put_anew(staging: Staging, target: Path, text: str, mode: int = 0o644) -> None:
    """The same as `put`, where no record tells what a run that was killed left next to the target. Raises NotWritten."""
    with contextlib.suppress(OSError):
        scratch_of(target).unlink()
    staging.put(target, text, mode=mode)


def remove_empty(folder: Path, up_to: Path) -> Path:
    """Remove empty folders, from `folder` upwards but not `up_to` itself; gives the first one that stays."""
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
