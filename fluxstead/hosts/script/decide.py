"""The rules: what happens to one declared disk, as a pure function of what is declared and what is found.

This is the only place that can decide that something is destroyed. `decide` is asked again before every single task,
with the host read anew, and only its first task is done; so an interrupted run resumes by being run again.
"""

from __future__ import annotations

import json
from typing import List, Optional, Tuple

from fluxstead.hosts.script.gpt import PREPARING, partition_guid
from fluxstead.hosts.script.model import (
    DEVICE_TIMEOUT,
    FILESYSTEMS,
    Declared,
    Disk,
    Host,
    Look,
    Node,
    Place,
    Verdict,
    Volume,
    human,
    label_of,
)
from fluxstead.hosts.script.text import (
    config_state,
    consent_line,
    describe,
    fstab_fields,
    stable_name,
)

DESTRUCTIVE = ("wipe", "partition", "format")
FRESH = ("partition", "format", "mountpoint", "fstab", "mount")
"""What a blank disk needs, in the only order that works (F16)."""
TABLE_MARKS = {"gpt", "PMBR"}
"""What wipefs(8) finds on a disk that holds a GPT and nothing else."""
RENDER = "to go on without it: ./run render writes the tree and dials no host"


def decide(declared: Declared, node: Node, host: Host) -> Verdict:
    """What happens to this disk of this node on this host."""
    disk, problems, write = identify(declared, host)
    problems += _clashes(declared, node, host, disk)
    if disk is None or problems:
        return _refuse(declared, disk, problems, write)
    problems = _never(declared, disk)
    if problems:
        return _refuse(declared, disk, problems, "")
    place = host.places.get(declared.mount_path, Place())
    problems = _place_problems(declared, disk, place)
    if problems:
        return _refuse(declared, disk, problems, "")
    mounted = next((volume for volume in disk.volumes if declared.mount_path in volume.mounts), None)
    if mounted is not None:
        return _mounted(declared, disk, mounted, place, host)
    mine = _ours(declared, disk)
    if mine is not None:
        return _unmounted(declared, disk, mine, place, host)
    return _not_ours(declared, disk)


def identify(declared: Declared, host: Host) -> Tuple[Optional[Disk], List[str], str]:
    """The one disk that every declared name agrees on, or what stands against it (U1)."""
    named: List[Tuple[str, List[Disk]]] = []
    if declared.device:
        found = [disk for disk in host.disks if declared.device == disk.path or declared.device in disk.links]
        named.append((f"device {declared.device}", found))
        parents = [disk for disk in host.disks if any(part.path == declared.device for part in disk.partitions)]
        if parents and not found:
            return None, [f"{declared.device} is a partition of {describe(parents[0])}"], f"device: {parents[0].path}"
    if declared.serial:
        named.append((f"serial {declared.serial}", [disk for disk in host.disks if declared.serial in disk.serials]))
    if declared.wwn:
        named.append((f"wwn {declared.wwn}", [disk for disk in host.disks if _same_wwn(declared.wwn, disk.wwn)]))
    for what, found in named:
        if len(found) > 1:
            seen = "; ".join(describe(disk) for disk in found)
            return None, [f"{what} is found twice: {seen}"], ""
    disks = {disk.path: disk for _, found in named for disk in found}
    absent = [what for what, found in named if not found]
    if not disks:
        return None, [f"no disk of this host has {' and '.join(absent)}; {RENDER}"], ""
    if len(disks) > 1 or absent:
        problems = [f"{what} is {describe(found[0])}" for what, found in named if found]
        problems += [f"no disk of this host has {what}" for what in absent]
        by_serial = next((found[0] for what, found in named[::-1] if found), None)
        write = f"device: {stable_name(by_serial)}" if by_serial else ""
        return None, ["the names of this disk do not agree: " + "; ".join(problems)], write
    return next(iter(disks.values())), [], ""


def _same_wwn(declared: str, found: str) -> bool:
    def bare(text: str) -> str:
        return text.lower().replace("0x", "", 1).replace("naa.", "", 1).replace("eui.", "", 1)

    return bool(found) and bare(declared) == bare(found)


def _clashes(declared: Declared, node: Node, host: Host, disk: Optional[Disk]) -> List[str]:
    """Two declarations for one disk or one path (F13)."""
    problems = []
    for other in node.disks:
        if other is declared:
            continue
        if other.name == declared.name:
            problems.append(f"two disks are named {declared.name}")
        if other.mount_path == declared.mount_path:
            problems.append(f"disks {declared.name} and {other.name} have the same mountPath {declared.mount_path}")
        elif (declared.mount_path + "/").startswith(other.mount_path + "/"):
            problems.append(f"mountPath {declared.mount_path} lies inside {other.mount_path} of disk {other.name}")
        if disk is not None and identify(other, host)[0] == disk:
            problems.append(f"disks {declared.name} and {other.name} are both {describe(disk)}")
    return problems


def _never(declared: Declared, disk: Disk) -> List[str]:
    """What is refused whatever the description says."""
    problems = []
    if disk.dead:
        problems.append(f"it does not answer: {disk.dead}; {RENDER}")
    if disk.uses:
        problems.append(f"the system lives on it: {', '.join(disk.uses)}")
    if any(volume.swap for volume in disk.volumes):
        problems.append("it holds swap in use")
    if disk.read_only:
        problems.append("it is read-only")
    if disk.size < declared.size:
        problems.append(f"it has {human(disk.size)} ({disk.size} bytes), less than the declared {declared.size} bytes")
    if disk.smart == "failing":
        problems.append("SMART says that it is failing: replace it")
    if disk.busy and not disk.stacked and not any(volume.mounts for volume in disk.volumes):
        problems.append("the kernel holds it for something that is neither a mount nor a known device")
    return problems


def _place_problems(declared: Declared, disk: Disk, place: Place) -> List[str]:
    problems = []
    path = declared.mount_path
    paths = [volume.path for volume in disk.volumes]
    if not place.real:
        problems.append(f"a part of {path} is a symbolic link or not a folder; Longhorn takes only real folders")
    if place.device and place.device not in paths:
        problems.append(f"{path} is taken: {place.device} is mounted there")
    if place.subfolder:
        problems.append(f"what is mounted at {path} is a folder of a filesystem, not its root")
    if not place.device and place.entries:
        shown = ", ".join(place.entries[:5])
        problems.append(f"the folder {path} is not empty ({shown}) and would be hidden: move that away first (F24)")
    mounts = [mount for volume in disk.volumes for mount in volume.mounts]
    for elsewhere, line in disk.fstab:
        if elsewhere.rstrip("/") != path:
            unmount = "unmount it there first, then " if elsewhere.rstrip("/") in mounts else ""
            problems.append(f"/etc/fstab mounts it at {elsewhere}: {unmount}take out the line {line!r}")
    return problems


def _twins(disk: Disk, volume: Volume, host: Host) -> List[str]:
    """Other disks with the same filesystem UUID, among which a mount by UUID would choose at random."""
    uuid = volume.filesystem.uuid if volume.filesystem else ""
    others = [path for path in host.uuids.get(uuid, ()) if path != disk.path] if uuid else []
    if not others:
        return []
    return [f"its filesystem UUID {uuid} is also on {', '.join(others)}: unplug the copy or change that UUID"]


def _ours(declared: Declared, disk: Disk) -> Optional[Volume]:
    """The volume that carries our mark for exactly this hardware: identifier of the partition, or label."""
    if not disk.serial:
        return None
    for volume in disk.volumes:
        known = volume.filesystem
        if volume.kind == "partition" and volume.partition_guid == partition_guid(disk.serial):
            return volume
        if volume.kind != "stacked" and known and known.label == label_of(declared.name, disk.serial):
            return volume
    return None


def _filesystem_problems(declared: Declared, disk: Disk, volume: Volume, host: Host) -> List[str]:
    """What stands against using the filesystem as it is."""
    problems = _twins(disk, volume, host)
    found = volume.filesystem
    look = volume.look or Look()
    if found is None or found.type != declared.filesystem:
        seen = ", ".join(signature.type for signature in volume.signatures) or "no filesystem"
        problems.append(f"{volume.path} holds {seen}, declared is {declared.filesystem}")
    elif look.problem:
        problems.append(f"{volume.path} cannot be read: {look.problem}")
    if volume.read_only_mount:
        problems.append(f"{volume.path} is mounted read-only, as the kernel does after errors: check it with fsck")
    state, named = config_state(look.config)
    if state == "uuid" and named not in ("", declared.name):
        problems.append(f"its longhorn-disk.cfg names another disk, {named}: Longhorn knows it by that name")
    if state == "broken" and look.replicas:
        problems.append("its longhorn-disk.cfg carries no UUID, but replicas lie beside it: evict them first (F12)")
    return problems


def _mounted(declared: Declared, disk: Disk, volume: Volume, place: Place, host: Host) -> Verdict:
    """Mounted where declared: left alone, or mended beside the data; never anything else."""
    problems = _filesystem_problems(declared, disk, volume, host)
    if volume.kind == "stacked":
        problems.append(f"{volume.path} is stacked on {disk.path}; only a disk or its partition is looked after")
    if problems:
        return _refuse(declared, disk, problems, "")
    uuid, label = (volume.filesystem.uuid, volume.filesystem.label) if volume.filesystem else ("", "")
    tasks = ["finish"] if volume.partition_name == PREPARING and _own_table(disk, volume) else []
    tasks += _mends(declared, volume, uuid, place)
    ours = _ours(declared, disk) == volume
    if disk.serial and label != label_of(declared.name, disk.serial):
        tasks.append("label")
    notes = []
    if place.immutable is False and not place.entries:
        tasks.append("underneath")
    elif place.entries:
        notes.append(f"under the mount, the folder {declared.mount_path} holds {', '.join(place.entries[:5])}")
    action, why = ("mend", "ours") if ours else ("adopt", "mounted where declared, prepared by hand before")
    if not tasks:
        action, why = "nothing", "as declared"
    return Verdict(declared, disk, action, (why,), tuple(tasks), "", uuid, tuple(notes))


def _mends(declared: Declared, volume: Volume, uuid: str, place: Place) -> List[str]:
    """The tasks beside the data of a filesystem that stays."""
    tasks = [] if _fstab_right(declared, uuid, place) else ["fstab"]
    look = volume.look or Look()
    if config_state(look.config)[0] == "broken":
        tasks.append("config")
    if not look.owner_right:
        tasks.append("owner")
    return tasks


def _fstab_right(declared: Declared, uuid: str, place: Place) -> bool:
    """One line, by this UUID, with `nofail` and a bound for the device (U3); further options are the operator's."""
    if len(place.fstab) != 1:
        return False
    source, _, kind, options = fstab_fields(place.fstab[0])
    bounded = any(option.startswith(DEVICE_TIMEOUT.split("=")[0]) for option in options)
    return source == f"UUID={uuid}" and kind == declared.filesystem and "nofail" in options and bounded


def _unmounted(declared: Declared, disk: Disk, volume: Volume, place: Place, host: Host) -> Verdict:
    """Ours, and not mounted where declared."""
    if disk.stacked:
        return _refuse(declared, disk, [f"something is stacked on it: {', '.join(disk.stacked)}"], "")
    mounts = [mount for each in disk.volumes for mount in each.mounts]
    if mounts:
        why = f"it is ours, but mounted at {', '.join(mounts)}: unmount it there first"
        return _refuse(declared, disk, [why], f"mountPath: {mounts[0]}")
    look = volume.look or Look()
    fresh = not look.problem and not look.entries and not look.replicas
    known = volume.filesystem
    unfinished = volume.partition_name == PREPARING
    named = not volume.signatures or (known and known.label == label_of(declared.name, disk.serial))
    if unfinished and not (named and _own_table(disk, volume)):
        return _by_consent(declared, disk)
    if unfinished and (not volume.signatures or look.rejected or fresh):
        return _resume(declared, disk, "its preparation was interrupted before its filesystem was whole", FRESH[1:])
    problems = _filesystem_problems(declared, disk, volume, host)
    if problems:
        return _refuse(declared, disk, problems, "")
    uuid, label = (known.uuid, known.label) if known else ("", "")
    tasks = ["partition"] if disk.edges == "table" and not disk.table_whole else []
    tasks += ["finish"] if unfinished else []
    if place.immutable is False:
        tasks.append("mountpoint")
    mends = _mends(declared, volume, uuid, place)
    tasks += [task for task in mends if task == "fstab"] + ["mount"] + [task for task in mends if task != "fstab"]
    if label != label_of(declared.name, disk.serial):
        tasks.append("label")
    return Verdict(declared, disk, "mend", ("ours, but not mounted",), tuple(tasks), "", uuid)


def _own_table(disk: Disk, volume: Volume) -> bool:
    """The table is the one that this script writes, with nothing but this partition; only such a table is written again."""
    return disk.edges == "table" and disk.partitions == (volume,) and volume.partition_guid == partition_guid(disk.serial)


def _not_ours(declared: Declared, disk: Disk) -> Verdict:
    """Blank, begun by this script, or somebody's."""
    idle = not disk.busy and not disk.stacked and not any(volume.mounts for volume in disk.volumes)
    alone = idle and not disk.partitions
    marks = {signature.type for signature in disk.volumes[0].signatures}
    if alone and not marks and disk.edges == "zero":
        if not _named(declared, disk):
            return _refuse_unnamed(declared, disk, "it is blank")
        return Verdict(declared, disk, "prepare", ("blank",), FRESH)
    # A run killed between writing the table and the kernel's reading it leaves our table without its partition.
    if alone and marks <= TABLE_MARKS and disk.edges == "table":
        tasks = FRESH if disk.table_name == PREPARING else ("partition", *FRESH[2:])
        return _resume(declared, disk, "writing its partition table was interrupted", tasks)
    if idle and disk.half_wiped and declared.wipe == disk.half_wiped:
        return Verdict(declared, disk, "wipe", ("the consented wipe was interrupted",), ("wipe", *FRESH))
    return _by_consent(declared, disk)


def _resume(declared: Declared, disk: Disk, why: str, tasks: Tuple[str, ...]) -> Verdict:
    if not _named(declared, disk):
        return _refuse_unnamed(declared, disk, why)
    return Verdict(declared, disk, "resume", (why,), tasks)


def _refuse_unnamed(declared: Declared, disk: Disk, why: str) -> Verdict:
    # Quoted, for YAML takes some serials for numbers.
    write = f"serial: {json.dumps(disk.serial)}" if disk.serial else ""
    return _refuse(declared, disk, [f"{why}, but only a name that can move says which disk it is (U1)"], write)


def _by_consent(declared: Declared, disk: Disk) -> Verdict:
    """Content that is not ours: kept, unless exactly this content on exactly this disk may go (U2)."""
    replicas = [f"{volume.path}:{path}" for volume in disk.volumes if volume.look for path in volume.look.replicas]
    if replicas:
        way = "evict them in Longhorn first; no consent covers them"
        return _refuse(declared, disk, [f"it holds Longhorn replicas ({', '.join(replicas[:3])}): {way}"], "")
    unseen = [volume for volume in disk.volumes if volume.look and volume.look.problem and not volume.look.rejected]
    unseen = [volume for volume in unseen if {each.type for each in volume.signatures} & set(FILESYSTEMS)]
    if unseen:
        why = f"{unseen[0].path} could not be looked into ({unseen[0].look.problem if unseen[0].look else ''})"
        return _refuse(declared, disk, [f"{why}, and may hold Longhorn replicas: no consent covers it"], "")
    if disk.stacked:
        way = "stop that first (vgchange -an, mdadm --stop, cryptsetup close, zpool export)"
        return _refuse(declared, disk, [f"in use by {', '.join(disk.stacked)}: {way}"], "")
    if not disk.serial or not disk.digest:
        return _refuse(declared, disk, ["it holds content that is not ours, and has no serial to consent by"], "")
    consent = f"{disk.serial}/{disk.digest}"
    if declared.wipe != consent:
        why = "it holds content that is not ours"
        if declared.wipe:
            why += f"; the consent {declared.wipe} is for another disk or other content"
        return _refuse(declared, disk, [why], consent_line(disk))
    mounts = ["unmount"] if any(volume.mounts for volume in disk.volumes) else []
    return Verdict(declared, disk, "wipe", ("the description consents to this content",), (*mounts, "wipe", *FRESH))


def _named(declared: Declared, disk: Disk) -> bool:
    """A name that stays with the hardware says that this is the disk: serial, WWN, or a by-id name that holds one."""
    if declared.serial or declared.wwn:
        return bool(disk.serial)
    device = declared.device or ""
    marks = [mark for mark in (*disk.serials, disk.wwn.replace("0x", "")) if len(mark) >= 4]
    return device in disk.links and any(mark.replace(" ", "_").lower() in device.lower() for mark in marks)


def _refuse(declared: Declared, disk: Optional[Disk], problems: List[str], write: str) -> Verdict:
    return Verdict(declared, disk, "refuse", tuple(problems), (), write)
