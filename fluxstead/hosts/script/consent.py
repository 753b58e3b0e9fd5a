"""Content that is not ours, and the consent to lose it."""

from __future__ import annotations

import json
from typing import List, Optional, Set

from fluxstead.hosts.script.gpt import PREPARING
from fluxstead.hosts.script.model import LOOKED_INTO, BlockDevice, DeclaredDisk, FoundDisk, Look, Verdict
from fluxstead.hosts.script.text import consent_line
from fluxstead.hosts.script.which import made_by_us

FRESH = ("partition", "format", "mountpoint", "fstab", "mount")
"""What a blank disk needs, in the only order that works (F16)."""
FOR_REPLICAS = {"btrfs", "bcachefs", "f2fs", "jfs", "nilfs2", "ocfs2", "gfs2", "reiserfs", "reiser4", "ufs", "zonefs"}
"""Filesystems in which Longhorn's folders may lie, and into which nothing looks here without mounting them."""


def by_consent(declared: DeclaredDisk, disk: FoundDisk) -> Verdict:
    """Content that is not ours: kept, unless exactly this content on exactly this disk may go (U2)."""
    problems = _beyond_consent(disk)
    if problems:
        return refuse(declared, disk, problems, "")
    consent = f"{disk.serial}/{disk.digest}"
    if declared.wipe == consent:
        return Verdict(declared, disk, "wipe", ("the description consents to this content",), ("wipe", *FRESH))
    why = "it holds content that is not ours"
    if any(volume.partition_name == PREPARING and made_by_us(disk, volume) for volume in disk.partitions):
        why += ", or what an interrupted mkfs left"
    if disk.untold:
        why += (
            f", and cannot tell a later change of {', '.join(disk.untold)}: a consent ends with the next boot, or write to the disk"
        )
    if declared.wipe:
        why += f"; the consent {declared.wipe} is for another disk, for other content, or over"
    return refuse(declared, disk, [why], consent_line(disk))


def _beyond_consent(disk: FoundDisk) -> List[str]:
    """Why no consent may destroy what is on it."""
    volumes = [volume for volume in disk.volumes if volume.kind != "stacked"]
    replicas = [f"{volume.path}:{path}" for volume in volumes if volume.look for path in volume.look.replicas]
    if replicas:
        way = "evict them in Longhorn first; no consent covers them"
        return [f"it holds Longhorn replicas ({', '.join(replicas[:3])}): {way}"]
    mounts = [mount for volume in volumes for mount in volume.mounts]
    in_use = [f"it is mounted at {', '.join(mounts)}: umount {' '.join(mounts)}, then look again what it holds"] if mounts else []
    in_use += [stacked_on(disk)] if disk.stacked else []
    way = "no consent covers it. If nothing of it is needed, take its signature away yourself: wipefs --all"
    unseen = [(volume, _unseen(volume)) for volume in volumes]
    return (
        in_use
        or [f"{volume.path} {why}, and may hold Longhorn replicas: {way} {volume.path}" for volume, why in unseen if why]
        or _untold_by_hardware(disk)
    )


def _untold_by_hardware(disk: FoundDisk) -> List[str]:
    if not disk.serial or not disk.digest:
        return ["it holds content that is not ours, and has no serial to consent by"]
    if not disk.confirmed:
        return ["it holds content that is not ours, and the kernel has no serial or WWN of it to tell it by when it is written to"]
    return []


def _unseen(volume: BlockDevice) -> str:
    """Why a filesystem in which replicas may lie was not looked into, or not wholly."""
    kinds: Set[str] = {signature.type for signature in volume.signatures}
    look = volume.look or Look()
    if kinds & set(LOOKED_INTO) and look.problem:
        return f"could not be looked into ({look.problem})"
    if kinds & set(LOOKED_INTO) and look.dirty:
        mount = f"mount {volume.path} /mnt && umount /mnt"
        return f"was not unmounted, so that its journal holds what is not in its folders yet ({mount} brings it in)"
    if kinds & FOR_REPLICAS:
        return f"is {', '.join(sorted(kinds & FOR_REPLICAS))}, into which nothing looks here"
    return ""


def stacked_on(disk: FoundDisk) -> str:
    """What uses the disk, and what to type so that it no longer does."""
    return f"in use by {', '.join(disk.stacked)}: stop that first ({'; '.join(disk.stop)})"


def refuse_unnamed(declared: DeclaredDisk, disk: FoundDisk, why: str) -> Verdict:
    """The refusal of a disk that could be prepared, if the description said by a lasting name which one it is."""
    if not disk.confirmed:
        why += ", but the kernel has no serial or WWN of it by which it could be told when it is written to"
        return refuse(declared, disk, [why], "")
    # Quoted, for YAML takes some serials for numbers.
    write = f"serial: {json.dumps(disk.serial)}" if disk.serial else ""
    return refuse(declared, disk, [f"{why}, but only a name that can move says which disk it is (U1)"], write)


def refuse(declared: DeclaredDisk, disk: Optional[FoundDisk], problems: List[str], write: str) -> Verdict:
    """The verdict that nothing is done, for these reasons."""
    return Verdict(declared, disk, "refuse", tuple(problems), (), write)
