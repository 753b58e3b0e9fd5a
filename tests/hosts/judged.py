"""Looks at raw images: a disk made for one test, what is said of it, and whether that is what `promise.py` owes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from fluxstead.hosts.script.evidence import gather, where
from fluxstead.hosts.script.evidence import places as spans

from .promise import allowance, owed
from .search import nonzero
from .structures.images import create

READS = 16_384
"""How many reads a look may take: on a disk that turns, each may be a seek."""


def direct(folder: str) -> bool:
    """Whether files there can be read past the page cache, as disks are; of a file system in memory, since Linux 6.6."""
    with tempfile.TemporaryFile(dir=folder) as file, suppress(OSError):
        os.close(os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY | os.O_DIRECT))
        return True
    return False


# In memory, holes are read without filling a cache, which is most of what a look at a sparse file takes.
ROOM = "/dev/shm" if os.access("/dev/shm", os.W_OK) and direct("/dev/shm") else tempfile.gettempdir()
if not direct(ROOM):
    pytest.skip("the file system of temporary files has no direct reads", allow_module_level=True)


@contextmanager
def a_disk(size: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=ROOM) as folder:
        disk = Path(folder) / "disk"
        create(disk, size)
        yield disk


def counters() -> Mapping[str, int]:
    lines = Path("/proc/self/io").read_text().splitlines()
    return {key: int(value) for key, value in (line.split(": ") for line in lines)}


def seen(disk: Path) -> tuple[int, ...]:
    """Where a look finds something; that it stays within its bounds and writes nothing is asserted on the way."""
    before, state = counters(), disk.stat()
    found = gather(str(disk), spans(state.st_size)).found
    after = counters()
    assert after["rchar"] - before["rchar"] <= allowance(state.st_size)
    assert after["syscr"] - before["syscr"] <= READS
    assert after["wchar"] == before["wchar"]
    left = disk.stat()
    assert (left.st_mtime_ns, left.st_blocks, left.st_size) == (state.st_mtime_ns, state.st_blocks, state.st_size)
    return found


def judged(disk: Path) -> str:
    """What is said of the disk after such a look; empty if it is blank."""
    return where(seen(disk))


def check(disk: Path) -> None:
    """The property: never "blank" where something is owed; always where there is nothing at all."""
    there = owed(disk)
    said = judged(disk)
    if there:
        assert said, f"called blank, with {there}"
    elif not nonzero(disk):
        assert not said
