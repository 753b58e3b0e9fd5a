"""Disks as sparse files: written piece by piece, cleaned, and read back by what is really there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

CHUNK = 1 << 20


def create(path: Path, size: int) -> None:
    """A disk of `size` bytes that holds nothing."""
    path.unlink(missing_ok=True)
    with path.open("wb") as disk:
        disk.truncate(size)


def write(path: Path, pieces: Mapping[int, bytes]) -> None:
    """Write `pieces` (byte offset → bytes); what lies outside the disk is cut off, as a truncated copy's is."""
    size = path.stat().st_size
    with path.open("r+b") as disk:
        for place, data in pieces.items():
            if place < size:
                disk.seek(place)
                disk.write(data[: size - place])


def extents(path: Path, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """The parts between `start` and `end` that the file has blocks for; the rest is holes, and reads as zero."""
    with path.open("rb") as disk:
        end = os.fstat(disk.fileno()).st_size if end is None else end
        while start < end:
            try:
                begin = os.lseek(disk.fileno(), start, os.SEEK_DATA)
            except OSError:  # ENXIO: only a hole is left
                return
            if begin >= end:
                return
            start = min(os.lseek(disk.fileno(), begin, os.SEEK_HOLE), end)
            yield begin, start


def chunks(path: Path, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """What the extents hold, in pieces of up to 1 MiB; those with nothing but zeros are left out."""
    zeros = bytes(CHUNK)
    with path.open("rb") as disk:
        for begin, finish in extents(path, start, end):
            place = begin
            while place < finish:
                data = os.pread(disk.fileno(), min(CHUNK - place % CHUNK, finish - place), place)
                if data != zeros[: len(data)]:
                    yield place, data
                place += len(data)


def zero(path: Path, start: int, end: int) -> None:
    """Overwrite from `start` to `end` with zeros, as `dd if=/dev/zero` does; holes stay holes."""
    parts = list(extents(path, start, min(end, path.stat().st_size)))
    with path.open("r+b") as disk:
        for begin, finish in parts:
            disk.seek(begin)
            disk.write(bytes(finish - begin))


def copy(source: Path, target: Path, start: int) -> None:
    """Copy a sparse file into a disk from byte `start` on, as `dd seek= conv=sparse` does; what lies beyond its end is cut off."""
    write(target, {start + place: data for place, data in chunks(source)})
