"""What stands against a disk, a mount path or a filesystem, whatever the description says."""

from __future__ import annotations

from typing import List, Optional

from fluxstead.hosts.script.model import UNTOOLED, BlockDevice, DeclaredDisk, DeclaredHost, FoundDisk, Host, Look, Place, human
from fluxstead.hosts.script.text import config_state, describe
from fluxstead.hosts.script.which import RENDER, identify


def clashes(declared: DeclaredDisk, node: DeclaredHost, host: Host, disk: Optional[FoundDisk]) -> List[str]:
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


def never(declared: DeclaredDisk, disk: FoundDisk) -> List[str]:
    """What is refused whatever the description says."""
    problems = []
    if disk.dead:
        problems.append(f"it does not answer: {disk.dead}; {RENDER}")
    if disk.doubt:
        problems.append(f"{disk.doubt}: it may be another disk than its names say. Type: udevadm trigger --settle {disk.path}")
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
    problems += disk.held_by
    if disk.busy and not (disk.stacked or disk.held_by or any(volume.mounts or volume.swap for volume in disk.volumes)):
        problems.append(
            "the kernel holds it for something that is neither a mount, nor swap, nor a process: look at lsblk and dmesg"
        )
    return problems


def place_problems(declared: DeclaredDisk, disk: FoundDisk, place: Place) -> List[str]:
    """What stands against mounting this disk at the declared path."""
    problems = []
    path = declared.mount_path
    paths = [volume.path for volume in disk.volumes]
    if not place.real:
        problems.append(f"a part of {path} is a symbolic link or not a folder; Longhorn takes only real folders")
    if place.device and place.device not in paths:
        problems.append(f"{path} is taken: {place.device} is mounted there")
    if place.under and place.device in paths:
        # The folder under a mount is made immutable, and there it would be the root folder of another filesystem.
        others = " and ".join(place.under)
        way = f"umount {path} until nothing is, then mount what belongs there"
        problems.append(f"{others} is mounted at {path} too, under {place.device}: {way}")
    if place.subfolder:
        problems.append(f"what is mounted at {path} is a folder of a filesystem, not its root")
    if not place.device and place.entries:
        shown = ", ".join(place.entries[:5])
        problems.append(f"the folder {path} is not empty ({shown}) and would be hidden: move that away first (F24)")
    if place.automount and not place.device:
        problems.append(f"an automount waits at {path}: stop and disable its unit first (systemctl list-units --type=automount)")
    problems += [f"{unit} mounts something there: remove it, or declare another mountPath" for unit in place.units]
    if place.below:
        problems.append(f"{path} lies on what is mounted at {place.below}, which is not the system's: declare another mountPath")
    return problems


def fstab_problems(declared: DeclaredDisk, disk: FoundDisk, host: Host) -> List[str]:
    """Lines of /etc/fstab that mount this disk elsewhere, or something else where it shall be."""
    path = declared.mount_path
    place = host.places.get(path, Place())
    mounts = [mount for volume in disk.volumes for mount in volume.mounts]
    lines = {line for _, line in disk.fstab}
    problems = [
        f"/etc/fstab mounts something else at {path}: take out the line {line!r}, or declare another mountPath"
        for line in place.fstab
        if line not in lines and line not in place.own
    ]
    for elsewhere, line in disk.fstab:
        if elsewhere.rstrip("/") == path:
            continue
        copies = [twin for volume in disk.volumes for twin in _twins(disk, volume, host)]
        if copies:
            problems.append(f"{copies[0]}. /etc/fstab mounts whichever of them it meets first at {elsewhere}")
        else:
            unmount = "unmount it there first, then " if elsewhere.rstrip("/") in mounts else ""
            problems.append(f"/etc/fstab mounts it at {elsewhere}: {unmount}take out the line {line!r}")
    return list(dict.fromkeys(problems))


def _twins(disk: FoundDisk, volume: BlockDevice, host: Host) -> List[str]:
    """Other disks with the same filesystem UUID, among which a mount by UUID would choose at random."""
    uuid = volume.filesystem.uuid if volume.filesystem else ""
    others = [path for path in host.uuids.get(uuid, ()) if path != disk.path] if uuid else []
    if not others:
        return []
    way = "unplug the copy, or give it a UUID of its own (tune2fs -U random, xfs_admin -U generate)"
    return [f"its filesystem UUID {uuid} is also on {', '.join(others)}: {way}"]


def filesystem_problems(declared: DeclaredDisk, disk: FoundDisk, volume: BlockDevice, host: Host) -> List[str]:
    """What stands against using the filesystem as it is."""
    problems = _twins(disk, volume, host)
    found = volume.filesystem
    look = volume.look or Look()
    if found is None or found.type != declared.filesystem:
        seen = ", ".join(signature.type for signature in volume.signatures) or "no filesystem"
        problems.append(f"{volume.path} holds {seen}, declared is {declared.filesystem}")
    elif look.problem and not look.problem.startswith(UNTOOLED):
        problems.append(f"{volume.path} cannot be read: {look.problem}")
    if volume.read_only_mount:
        problems.append(f"{volume.path} is mounted read-only, as the kernel does after errors: check it with fsck")
    state, named = config_state(look.config)
    if state == "uuid" and named not in ("", declared.name):
        problems.append(f"its longhorn-disk.cfg names another disk, {named}: Longhorn knows it by that name")
    if state == "broken" and look.replicas:
        problems.append("its longhorn-disk.cfg carries no UUID, but replicas lie beside it: evict them first (F12)")
    return problems
