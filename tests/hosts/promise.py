"""What "blank" promises: the places that are read on every disk. Data elsewhere cannot be found in bounded time.

- the first and the last 2 MiB, whole;
- the first 72 KiB of every MiB of the first GiB; on disks of up to 4 GiB, of every MiB;
- the superblocks' copies of an ext4 with blocks of 4 KiB that begins at 0, at sector 63, at 1 MiB or at 2 MiB;
- 2 MiB on either side of each quarter of the disk, where XFS begins its allocation groups;
- 256 samples of 4 KiB, spread over all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .search import nonzero, search
from .structures.checksums import GIB, KIB, MIB
from .structures.filesystems import EXT4_GROUP, sparse_groups

SAMPLES = 256


def places(size: int) -> dict[str, list[tuple[int, int]]]:
    """Every place that is owed on a disk of `size` bytes, by what it is for: (start, end), in bytes."""
    steps = range(0, size if size <= 4 * GIB else GIB, MIB)
    starts = (0, 63 * 512, MIB, 2 * MIB)
    return {
        "the ends": [(0, min(2 * MIB, size)), (max(size - 2 * MIB, 0), size)],
        "the steps of 1 MiB": [(start, min(start + 72 * KIB, size)) for start in steps],
        "ext4's copies": [
            (start + group * EXT4_GROUP, start + group * EXT4_GROUP + KIB)
            for start in starts
            for group in sparse_groups(-(-size // EXT4_GROUP))
            if start + group * EXT4_GROUP + KIB <= size
        ],
        # Less one page at either side: where exactly a quarter is, is a matter of rounding.
        "the quarters": [
            (max(size * part // 4 - 2 * MIB + 4 * KIB, 0), min(size * part // 4 + 2 * MIB - 4 * KIB, size)) for part in (1, 2, 3)
        ],
    }


def apart(offsets: Iterable[int]) -> list[list[int]]:
    """The offsets in groups whose members are at least 1 MiB apart: a look tells the first byte of each MiB that it reads."""
    groups: list[list[int]] = []
    for offset in sorted(set(offsets)):
        group = next((one for one in groups if one[-1] + MIB <= offset), None)
        if group is None:
            groups.append([offset])
        else:
            group.append(offset)
    return groups


def dense(size: int) -> int:
    """How long a stretch without a zero sector has to be for one of the spread samples to fall into it, in bytes."""
    return size // (SAMPLES - 1) + 16 * KIB


def allowance(size: int) -> int:
    """How many bytes all those places are, each read once, and a MiB more."""
    return (
        sum(end - start for group in places(size).values() for start, end in group)
        + len(places(size)["ext4's copies"]) * 8 * KIB
        + SAMPLES * 4 * KIB
        + MIB
    )


def _owed(disk: Path) -> Iterator[str]:
    size = disk.stat().st_size
    looked_at = [(start, end, what) for what, group in places(size).items() for start, end in group]
    for found in search(disk):
        for start, end, what in looked_at:
            if start <= found.magic and found.magic + found.length <= end:
                yield f"{found.kind} at byte {found.start}, in {what}"
    for begin, finish in nonzero(disk):
        if finish - begin >= dense(size):
            yield f"data from byte {begin} to {finish}, among the samples"
        for start, end, what in looked_at:
            first = max(begin, -(-start // 512) * 512)
            if first + 512 <= min(finish, end):
                yield f"data at byte {first}, in {what}"


def owed(disk: Path) -> str:
    """The first thing on `disk` that makes it anything but blank by the promise; empty if there is none."""
    return next(_owed(disk), "")
