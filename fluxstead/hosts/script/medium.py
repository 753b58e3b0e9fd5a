"""A device's bytes as they lie on the medium."""

from __future__ import annotations

import mmap
import os
from types import TracebackType
from typing import Optional, Type

from fluxstead.hosts.script.model import MIB

ALIGNED = 4096
"""Offsets and lengths of direct reads are multiples of it: the largest logical block that disks have."""


class Medium:
    """A device that is read past the kernel's memory; use as a context manager.

    A partition has a page cache of its own, so that what the whole disk's cache holds may be older than what a filesystem has
    written since (Linux: block/bdev.c, one address space for each block device).
    """

    def __init__(self, path: str) -> None:
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECT)
        self._buffer = mmap.mmap(-1, MIB)

    def __enter__(self) -> Medium:  # noqa: PYI034 - Python 3.9 has no Self
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self._buffer.close()
        os.close(self._handle)

    def read(self, at: int, length: int) -> bytes:
        """The bytes at this place, fewer where the device ends. Raises OSError when it cannot be read."""
        begin, end = at // ALIGNED * ALIGNED, -(-(at + length) // ALIGNED) * ALIGNED
        found = b""
        while begin + len(found) < end:
            with memoryview(self._buffer) as whole, whole[: min(MIB, end - begin - len(found))] as wanted:
                count = os.preadv(self._handle, [wanted], begin + len(found))
            if not count:
                break
            found += self._buffer[:count]
        return found[at - begin : at - begin + length]
