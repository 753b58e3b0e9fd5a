"""The rules: what happens to one declared disk, as a pure function of what is declared and what is found.

This is the only place that can decide that something is destroyed. `decide` is asked again before every single task,
with the host read anew, and only its first task is done; so an interrupted run resumes by being run again.
"""

from __future__ import annotations

from typing import List, Optional, Tuple

from fluxstead.hosts.script.against import clashes, filesystem_problems, fstab_problems, never, place_problems
from fluxstead.hosts.script.consent import FRESH, by_consent, refuse, refuse_unnamed, stacked_on
from fluxstead.hosts.script.gpt import PREPARING, READY
from fluxstead.hosts.script.model import (
    MIB,
    BlockDevice,
    DeclaredDisk,
    DeclaredHost,
    FoundDisk,
    Host,
    Look,
    Place,
    Verdict,
    label_of,
)
from fluxstead.hosts.script.text import adopted_line, config_state, fstab_fields, options_right
from fluxstead.hosts.script.which import identify, made_by_us, well_named

DESTRUCTIVE = ("wipe", "partition", "format")
TABLE_MARKS = {"gpt", "PMBR"}
"""What wipefs(8) finds on a disk that holds a GPT and nothing else."""


def decide(declared: DeclaredDisk, node: DeclaredHost, host: Host) -> Verdict:
    """What happens to this disk of this node on this host."""
    disk, problems, write = identify(declared, host)
    problems += clashes(declared, node, host, disk)
    if disk is None or problems:
        return refuse(declared, disk, problems, write)
    problems = never(declared, disk)
    if problems:
        return refuse(declared, disk, problems, "")
    place = host.places.get(declared.mount_path, Place())
    problems = place_problems(declared, disk, place) + fstab_problems(declared, disk, host)
    if problems:
        return refuse(declared, disk, problems, "")
    mounted = next((volume for volume in disk.volumes if declared.mount_path in volume.mounts), None)
    if mounted is not None:
        return _mounted(declared, disk, mounted, place, host)
    mine = _ours(declared, disk)
    if mine is not None:
        return _unmounted(declared, disk, mine, place, host)
    return _not_ours(declared, disk)


def _ours(declared: DeclaredDisk, disk: FoundDisk) -> Optional[BlockDevice]:
    """The volume that carries our mark for exactly this hardware: identifier of the partition, or label."""
    for volume in disk.volumes:
        known = volume.filesystem
        if made_by_us(disk, volume):
            return volume
        if disk.serial and volume.kind != "stacked" and known and known.label == label_of(declared.name, disk.serial):
            return volume
    return None


def _mounted(declared: DeclaredDisk, disk: FoundDisk, volume: BlockDevice, place: Place, host: Host) -> Verdict:
    """Mounted where declared: left alone, or mended beside the data; never anything else."""
    problems = filesystem_problems(declared, disk, volume, host)
    if volume.kind == "stacked":
        problems.append(f"{volume.path} is stacked on {disk.path}; only a disk or its partition is looked after")
    if problems:
        return refuse(declared, disk, problems, "")
    uuid, label = (volume.filesystem.uuid, volume.filesystem.label) if volume.filesystem else ("", "")
    tasks = ["finish"] if volume.partition_name == PREPARING and _own_table(disk, volume) else []
    tasks += _mends(declared, volume, uuid, place)
    ours = _ours(declared, disk) == volume
    if disk.serial and label != label_of(declared.name, disk.serial):
        tasks.append("label")
    if place.immutable is False and not place.entries:
        tasks.append("underneath")
    action, why = ("mend", "ours") if ours else ("adopt", "mounted where declared, prepared by hand before")
    if not tasks:
        action, why = "nothing", "as declared"
    notes = _changes(declared, disk, volume, place, tasks)
    return Verdict(declared, disk, action, (why,), tuple(tasks), "", uuid, tuple(notes))


def _changes(declared: DeclaredDisk, disk: FoundDisk, volume: BlockDevice, place: Place, tasks: List[str]) -> List[str]:
    """Each thing that is changed beside the data, and what is seen and left as it is."""
    found = volume.filesystem
    notes = []
    if "fstab" in tasks and found:
        line = adopted_line(declared, found.uuid, place.fstab)
        notes += [f"/etc/fstab: {old!r} becomes {line!r}" for old in place.fstab] or [f"/etc/fstab gets {line!r}"]
    if "label" in tasks:
        before = found.label if found else ""
        notes.append(f"the label of its filesystem, {before or 'none'}, becomes {label_of(declared.name, disk.serial)}")
    if "underneath" in tasks:
        notes.append(f"the folder {declared.mount_path} under the mount can no longer be written to (chattr +i)")
    if "config" in tasks:
        notes.append("its longhorn-disk.cfg, which carries no UUID, is removed (F12)")
    if place.entries and place.device:
        notes.append(f"under the mount, the folder {declared.mount_path} holds {', '.join(place.entries[:5])}")
    if volume.look and volume.look.open_to_all:
        notes.append("others than root may write into its root folder; left as it is")
    return notes


def _mends(declared: DeclaredDisk, volume: BlockDevice, uuid: str, place: Place) -> List[str]:
    """The tasks beside the data of a filesystem that stays."""
    tasks = [] if _fstab_right(declared, uuid, place) else ["fstab"]
    if config_state((volume.look or Look()).config)[0] == "broken":
        tasks.append("config")
    return tasks


def _fstab_right(declared: DeclaredDisk, uuid: str, place: Place) -> bool:
    """One line, by this UUID, with `nofail` and a bound for the device (U3); further options are the operator's."""
    if len(place.fstab) != 1:
        return False
    source, _, kind, options = fstab_fields(place.fstab[0])
    return source == f"UUID={uuid}" and kind == declared.filesystem and options_right(options)


def _unmounted(declared: DeclaredDisk, disk: FoundDisk, volume: BlockDevice, place: Place, host: Host) -> Verdict:
    """Ours, and not mounted where declared."""
    if disk.stacked:
        return refuse(declared, disk, [stacked_on(disk)], "")
    mounts = [mount for each in disk.volumes for mount in each.mounts]
    if mounts:
        why = f"it is ours, but mounted at {', '.join(mounts)}: unmount it there first"
        return refuse(declared, disk, [why], f"mountPath: {mounts[0]}")
    known = volume.filesystem
    unfinished = volume.partition_name == PREPARING
    named = not volume.signatures or (known and known.label == label_of(declared.name, disk.serial))
    begun = unfinished and named and _own_table(disk, volume)
    if begun and _left_by_mkfs(disk, volume):
        return _resume(declared, disk, "its preparation was interrupted before its filesystem was whole", FRESH[1:])
    if unfinished and not (begun and volume.signatures):
        return by_consent(declared, disk)
    problems = filesystem_problems(declared, disk, volume, host)
    return refuse(declared, disk, problems, "") if problems else _mounted_again(declared, disk, volume, place)


def _mounted_again(declared: DeclaredDisk, disk: FoundDisk, volume: BlockDevice, place: Place) -> Verdict:
    uuid, label = (volume.filesystem.uuid, volume.filesystem.label) if volume.filesystem else ("", "")
    tasks = ["partition"] if disk.edges == "table" and not disk.table_whole else []
    tasks += ["finish"] if volume.partition_name == PREPARING else []
    if place.immutable is False:
        tasks.append("mountpoint")
    mends = _mends(declared, volume, uuid, place)
    tasks += [task for task in mends if task == "fstab"] + ["mount"] + [task for task in mends if task != "fstab"]
    if label != label_of(declared.name, disk.serial):
        tasks.append("label")
    notes = _changes(declared, disk, volume, place, [task for task in tasks if task != "fstab"])
    return Verdict(declared, disk, "mend", ("ours, but not mounted",), tuple(tasks), "", uuid, tuple(notes))


def _left_by_mkfs(disk: FoundDisk, volume: BlockDevice) -> bool:
    """Nothing yet, or a filesystem that was never mounted; what an mkfs that was cut off leaves is content like others."""
    return bool(volume.look and volume.look.never_mounted) if volume.signatures else not disk.inside


def _own_table(disk: FoundDisk, volume: BlockDevice) -> bool:
    """The table is the one that this script writes, with nothing but this partition; only such a table is written again."""
    return disk.edges == "table" and disk.partitions == (volume,) and made_by_us(disk, volume)


def _not_ours(declared: DeclaredDisk, disk: FoundDisk) -> Verdict:
    """Blank, begun by this script, or somebody's."""
    idle = not disk.busy and not disk.stacked and not any(volume.mounts for volume in disk.volumes)
    alone = idle and not disk.partitions
    marks = {signature.type for signature in disk.volumes[0].signatures}
    if alone and not marks and disk.edges == "zero" and not disk.inside:
        if not well_named(declared, disk):
            return refuse_unnamed(declared, disk, "it is blank")
        return Verdict(declared, disk, "prepare", ("blank",), FRESH)
    # A run killed between writing the table and the kernel's reading it leaves our table without its partition.
    if alone and marks <= TABLE_MARKS and disk.edges == "table" and (disk.table_name == READY or not disk.inside):
        tasks = FRESH if disk.table_name == PREPARING else ("partition", *FRESH[2:])
        return _resume(declared, disk, "writing its partition table was interrupted", tasks)
    if alone and disk.edges == "zero" and _lost_table(declared, disk):
        return _resume(declared, disk, "its partition table was wiped, and its filesystem is there", ("partition", *FRESH[2:]))
    if idle and disk.confirmed and disk.half_wiped and declared.wipe == disk.half_wiped:
        return Verdict(declared, disk, "wipe", ("the consented wipe was interrupted",), ("wipe", *FRESH))
    return by_consent(declared, disk)


def _lost_table(declared: DeclaredDisk, disk: FoundDisk) -> bool:
    """Where our partition began lies a filesystem with our label for this disk, and nothing else is recognised."""
    wanted = label_of(declared.name, disk.serial)
    found = [(each.type, each.offset, each.label) for each in disk.hidden]
    return bool(disk.serial) and not disk.volumes[0].signatures and found == [(declared.filesystem, MIB, wanted)]


def _resume(declared: DeclaredDisk, disk: FoundDisk, why: str, tasks: Tuple[str, ...]) -> Verdict:
    if not well_named(declared, disk):
        return refuse_unnamed(declared, disk, why)
    return Verdict(declared, disk, "resume", (why,), tasks)
