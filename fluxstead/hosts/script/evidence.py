"""Where a disk is looked at, and what was seen there: the ground of "blank", and of every consent.

No disk can be read whole in bounded time. What is read are the places in which something shows itself of whatever was once written
to a disk: both ends; where partition tools and old layouts let filesystems begin; where ext4 and XFS keep copies of their
superblocks; and samples spread over all the rest. Blank is only what is zero in all of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Iterable, Iterator, List, Sequence, Tuple

from fluxstead.hosts.script.medium import ALIGNED, Medium
from fluxstead.hosts.script.model import MIB, human

GIB = 1024 * MIB
ENDS = 2 * MIB
BEGIN = 72 * 1024
"""Of a filesystem: btrfs and ReiserFS begin latest, with a superblock at 64 KiB."""
SMALL = 4 * GIB
"""Up to this size every MiB is looked at, beyond it those of the first GiB."""
GROUP = 128 * MIB
"""An ext4 block group of 4 KiB blocks; copies of the superblock lie in group 1 and those of powers of 3, 5 and 7
(sparse_super; e2fsprogs: ext2fs_bg_has_super)."""
OLD_BEGINS = (0, 63 * 512, MIB, 2 * MIB)
"""Where filesystems begin: on the whole disk, in the first partition of old and new tools, and behind a boot partition."""
SAMPLES = 256

ZEROS = bytes(MIB)

Span = Tuple[int, int]
"""From the first byte to the one behind the last."""


@dataclass(frozen=True)
class Evidence:
    """What a reading of some places found."""

    digest: str
    found: Tuple[int, ...]
    """Offsets of bytes that are not zero, the first of each MiB of each place."""


def places(size: int, more: Iterable[Span] = ()) -> Tuple[Span, ...]:
    """Every place of a disk of this size that is looked at, and these besides."""
    spans: List[Span] = [(0, ENDS), (size - ENDS, size)]
    spans += ((at, at + BEGIN) for at in range(0, size if size <= SMALL else GIB, MIB))
    spans += ((at, at + 2 * ALIGNED) for at in _copies(size))
    spans += (quarter(size, number) for number in (1, 2, 3))
    spans += ((at, at + ALIGNED) for at in samples(size))
    spans += more
    return tuple(_joined(spans, size))


def quarter(size: int, number: int) -> Span:
    """Where XFS begins its second, third and fourth allocation group, of the four that it makes by default."""
    return size * number // 4 - ENDS, size * number // 4 + ENDS


def _copies(size: int) -> Iterator[int]:
    groups = {1}
    for base in (3, 5, 7):
        power = base
        while power * GROUP < size:
            groups.add(power)
            power *= base
    for begin in OLD_BEGINS:
        yield from (begin + group * GROUP for group in groups)


def samples(size: int) -> Iterator[int]:
    """Places that stand for all the rest, where a disk is large enough in the part of a group of blocks that mkfs leaves alone."""
    distance = max(ALIGNED, size // SAMPLES // ALIGNED * ALIGNED)
    for number, at in enumerate(range(0, size, distance)):
        group = at // GROUP * GROUP
        yield at if distance < GROUP else group + 97 * MIB + number % 64 * 16 * ALIGNED


def _joined(spans: Iterable[Span], size: int) -> Iterator[Span]:
    """Whole aligned blocks, in order, none twice."""
    last = 0
    for start, end in sorted(spans):
        begin = max(last, start // ALIGNED * ALIGNED, 0)
        last = max(last, min(-(-end // ALIGNED) * ALIGNED, size))
        if begin < last:
            yield begin, last


def gather(path: str, spans: Sequence[Span]) -> Evidence:
    """Reads these places of a device. Raises OSError when one cannot be read."""
    told = hashlib.sha256()
    found: List[int] = []
    with Medium(path) as medium:
        for start, end in spans:
            for at in range(start, end, MIB):
                data = medium.read(at, min(MIB, end - at))
                # Zeros are told by their absence: on a weak machine, a digest of them takes longer than their reading.
                if data != ZEROS[: len(data)]:
                    told.update(b"%d %d " % (at, len(data)))
                    told.update(data)
                    found.append(at + len(data) - len(data.lstrip(b"\0")))
    return Evidence(told.hexdigest(), tuple(found))


def where(found: Sequence[int]) -> str:
    """Offsets in words, the first few."""
    shown = ", ".join(human(at) if at else "its begin" for at in found[:3])
    return f"not zero at {shown}{f' and {len(found) - 3} places more' if len(found) > 3 else ''}" if found else ""
