"""What lies on a disk, as a digest that a consent can name, and whether that digest would tell every later change.

ext2, ext3, ext4 and XFS change their superblock or their log with every mount, so that a digest over those is void once anybody
used them. Everything else tells nothing of a change inside: there the consent is tied to this boot of the host and to the kernel's
count of what was written to the disk, and ends with the next write or boot.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from fluxstead.hosts.script.evidence import Span, gather, places, where
from fluxstead.hosts.script.medium import Medium
from fluxstead.hosts.script.model import LOOKED_INTO, MIB, BlockDevice, FoundDisk, short_hash
from fluxstead.hosts.script.superblocks import Kept, kept
from fluxstead.hosts.script.tools import RefusedError, text_of
from fluxstead.hosts.script.which import made_by_us

DIGEST_LENGTH = 24
TABLES = {"gpt", "PMBR", "dos"}
AROUND = 4096
"""Bytes that are read before and behind each signature."""


def content_of(disk: FoundDisk) -> Dict[str, Any]:
    """What was read of a disk that nobody has mounted, as JSON can hold it. Raises OSError when it cannot be read."""
    pasts = _pasts(disk)
    read = gather(disk.path, looked_at(disk, pasts))
    untold = _untold(disk, pasts, read.found)
    digest = short_hash(f"{disk.serial} {disk.size} {read.digest}", DIGEST_LENGTH)
    inside = [at for at in read.found if MIB <= at < disk.size - MIB]
    return {
        "evidence": read.digest,
        "inside": where(inside),
        "digest": f"{digest}/{written_so_far(disk)}" if untold else digest,
        "untold": untold,
        "begins": sorted({at // MIB * MIB for at in read.found if at < 64 * MIB and at >= MIB})[:4],
        "past": {
            volume.path: {"never_mounted": past.never_mounted, "dirty": past.dirty} for volume, past in pasts if past is not None
        },
    }


def unchanged(disk: FoundDisk) -> None:
    """Raises RefusedError when the disk no longer holds what was read of it: right before it is written to, it is read again."""
    if disk.evidence and gather(disk.path, looked_at(disk, _pasts(disk))).digest != disk.evidence:
        raise RefusedError(
            f"{disk.path} was written to since it was looked at: nothing was done to it; look at it, then run this again"
        )


def written_so_far(disk: FoundDisk) -> str:
    """This boot, this appearance of the disk, and the sectors written and discarded on it (Linux: Documentation/block/stat).

    Not the number of writes: a tool that only reads may have the disk's own cache flushed.
    """
    counts = text_of(f"/sys/block/{os.path.basename(disk.path)}/stat").split()
    written = counts[6:7] + counts[13:14]
    return "once-" + short_hash(" ".join([text_of("/proc/sys/kernel/random/boot_id").strip(), disk.sequence, *written]), 8)


def _pasts(disk: FoundDisk) -> List[Tuple[BlockDevice, Optional[Kept]]]:
    with Medium(disk.path) as medium:
        return [
            (volume, kept(medium, volume.offset))
            for volume in disk.volumes
            if volume.kind != "stacked" and _kinds(volume) & set(LOOKED_INTO)
        ]


def _kinds(volume: BlockDevice) -> Set[str]:
    return {signature.type for signature in volume.signatures}


def looked_at(disk: FoundDisk, pasts: Sequence[Tuple[BlockDevice, Optional[Kept]]] = ()) -> Tuple[Span, ...]:
    """Every place of a disk, of its partitions and around its signatures that is read."""
    spans: List[Span] = []
    for volume in disk.volumes:
        if volume.kind == "stacked":
            continue
        # Of a partition of ours, the whole disk's places are looked at, as they were before it was made and when it was wiped.
        if volume.kind == "partition" and not made_by_us(disk, volume):
            spans += ((volume.offset + start, volume.offset + end) for start, end in places(volume.size))
        spans += (around(volume.offset + signature.offset) for signature in volume.signatures)
    spans += (past.log for _, past in pasts if past is not None and past.log is not None)
    return places(disk.size, spans)


def around(at: int) -> Span:
    """The place of a signature."""
    return at - AROUND, at + 2 * AROUND


def _untold(disk: FoundDisk, pasts: Sequence[Tuple[BlockDevice, Optional[Kept]]], found: Sequence[int]) -> List[str]:
    """What on the disk tells nothing of its last change."""
    told = [volume for volume, past in pasts if past is not None and _kinds(volume) <= set(LOOKED_INTO)]
    silent: Dict[str, None] = {}
    for volume in disk.volumes:
        if volume.kind != "stacked" and volume not in told:
            silent.update(dict.fromkeys(sorted(_kinds(volume) - TABLES)))
    beside = [at for at in found if MIB <= at < disk.size - MIB and not any(_holds(volume, at) for volume in told)]
    if beside and not silent:
        silent[f"bytes in no filesystem ({where(beside)})"] = None
    return list(silent)


def _holds(volume: BlockDevice, at: int) -> bool:
    return volume.offset <= at < volume.offset + volume.size
