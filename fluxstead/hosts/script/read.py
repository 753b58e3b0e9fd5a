"""Reading the disks of the host as they are now: sysfs, udev's database, and the devices themselves."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from typing import Any, Dict, Iterator, Optional, Sequence, Set, Tuple

from fluxstead.hosts.script.content import content_of
from fluxstead.hosts.script.gpt import READY, edges, parse
from fluxstead.hosts.script.holders import mounted_by, open_by, stopped_by
from fluxstead.hosts.script.identity import identity, number_of
from fluxstead.hosts.script.look import look
from fluxstead.hosts.script.medium import Medium
from fluxstead.hosts.script.model import (
    LOOKED_INTO,
    MIB,
    BlockDevice,
    DeclaredDisk,
    DeclaredHost,
    FoundDisk,
    Host,
    Place,
    Signature,
)
from fluxstead.hosts.script.places import MountTables
from fluxstead.hosts.script.tools import RefusedError, StepError, answer, apart, opened, run, text_of
from fluxstead.hosts.script.which import identify, made_by_us
from fluxstead.hosts.script.wipe import half_wiped

DISK_SECONDS = 60
"""A disk that takes longer to answer the simplest questions is dead."""
SETTLE_SECONDS = 30
LONGHORN_VOLUME = ("IET", "VIRTUAL-DISK")
"""Vendor and model that the host sees of a volume that is attached to it."""


def read_host(node: DeclaredHost, only: str = "", before: Optional[Host] = None) -> Host:
    """The host as it is now, with a deep look at each disk that a declaration names.

    With `only`, that of one declared name; the content of other disks is then taken as it was `before`. Raises StepError while
    udev has not caught up with the kernel, for its names and serials may then be those of other disks.
    """
    settle()
    reader = _Reader()
    chosen = [declared for declared in node.disks if declared.name == only or not only]
    bare = [identity(name) for name in sorted(os.listdir("/sys/block")) if _is_disk(name)]
    named = [identify(declared, Host(tuple(bare), {}, {}))[0] for declared in chosen]
    earlier = {(disk.path, disk.serials): disk for disk in before.disks} if before else {}
    shallow = [
        reader.contents(disk) if disk in named or not before else earlier.get((disk.path, disk.serials), disk) for disk in bare
    ]
    host = Host(tuple(shallow), {}, _uuids(shallow))
    deep: Dict[str, FoundDisk] = {}
    places: Dict[str, Place] = {}
    for declared in chosen:
        found = identify(declared, host)[0]
        try:
            places[declared.mount_path] = reader.tables.place(declared.mount_path)
            if found is not None and not found.dead:
                deep[found.path] = reader.deepen(found, declared)
        except StepError as error:
            # One disk that hangs keeps nobody from hearing of the others.
            if found is not None:
                deep[found.path] = replace(found, dead=str(error))
    return Host(tuple(deep.get(disk.path, disk) for disk in shallow), places, host.uuids)


def settle() -> None:
    """Waits until udev has worked off what the kernel told it. Raises StepError when it does not."""
    status, _, err = answer(["udevadm", "settle", f"--timeout={SETTLE_SECONDS}"], 2 * SETTLE_SECONDS)
    if status:
        why = err.strip() or f"events are still waiting after {SETTLE_SECONDS} s"
        raise StepError(f"udev does not catch up with the kernel ({why}): udevadm control --start-exec-queue; udevadm settle")


def _uuids(disks: Sequence[FoundDisk]) -> Dict[str, Tuple[str, ...]]:
    """Filesystem UUIDs to the disks that carry them, also inside of what is stacked on a disk, where a mount by UUID meets them."""
    found: Dict[str, Set[str]] = {}
    for disk in disks:
        for volume in disk.volumes:
            for signature in volume.signatures:
                found.setdefault(signature.uuid, set()).add(disk.path)
    return {uuid: tuple(sorted(paths)) for uuid, paths in found.items() if uuid}


def _is_disk(name: str) -> bool:
    """A volume of Longhorn's is not one, nor is one of the paths that NVMe keeps to itself."""
    device = f"/sys/block/{name}/device"
    if not os.path.exists(device) or re.match(r"sr\d|fd\d|mmcblk\d+(boot|rpmb)", name):
        return False
    made_by = (text_of(f"{device}/vendor").strip(), text_of(f"{device}/model").strip())
    return made_by != LONGHORN_VOLUME and text_of(f"/sys/block/{name}/hidden").strip() != "1"


def _names_below(name: str) -> Iterator[str]:
    """The kernel's names of what is stacked on a device, the nearest first."""
    for holder in sorted(os.listdir(f"/sys/class/block/{name}/holders")):
        yield holder
        yield from _names_below(holder)


class _Reader:
    """Reads disks, with what the system says of them."""

    def __init__(self) -> None:
        self.tables = MountTables()

    def contents(self, disk: FoundDisk) -> FoundDisk:
        """One disk with what lies on it, without looking into filesystems."""
        if disk.dead:
            return disk
        name = os.path.basename(disk.path)
        try:
            first, last = whole_ends(*apart(lambda: ends(disk), DISK_SECONDS))
            guids = parse(first, disk.sector)
            volumes = self._volumes(name, disk, guids)
        except StepError as error:
            return replace(disk, dead=str(error))
        kind, table_name, whole = edges(disk.serial, disk.size, disk.sector, first, last)
        stacked = tuple(volume.path for volume in volumes if volume.kind == "stacked")
        return replace(
            disk,
            volumes=volumes,
            edges=kind,
            table_name=table_name,
            table_whole=whole,
            uses=self.tables.uses(volumes),
            stacked=stacked,
            stop=tuple(dict.fromkeys(stopped_by(os.path.basename(path)) for path in reversed(stacked))),
            fstab=self.tables.fstab_of(volumes, disk.links),
        )

    def _volumes(self, name: str, disk: FoundDisk, guids: Dict[int, Tuple[str, str]]) -> Tuple[BlockDevice, ...]:
        volumes = [self._volume(name, "disk", 0, disk.size)]
        children = [child for child in os.listdir(f"/sys/block/{name}") if child.startswith(name)]
        numbered = sorted((int(text_of(f"/sys/block/{name}/{child}/partition")), child) for child in children)
        for number, child in numbered:
            start = int(text_of(f"/sys/class/block/{child}/start")) * 512
            volume = self._volume(child, "partition", start, int(text_of(f"/sys/class/block/{child}/size")) * 512)
            guid, label = guids.get(number, ("", ""))
            volumes.append(replace(volume, partition_guid=guid, partition_name=label))
        stacked = dict.fromkeys(held for _, child in [(0, name), *numbered] for held in _names_below(child))
        volumes.extend(
            self._volume(holder, "stacked", 0, int(text_of(f"/sys/class/block/{holder}/size")) * 512) for holder in stacked
        )
        return tuple(volumes)

    def _volume(self, name: str, kind: str, offset: int, size: int) -> BlockDevice:
        path = f"/dev/{name}"
        number = number_of(name)
        mounts = [mount for mount in self.tables.mounts if number == mount.number or mount.source == path]
        return BlockDevice(
            path,
            kind,
            offset,
            size,
            signatures(path),
            tuple(dict.fromkeys(mount.path for mount in mounts)),
            any(mount.read_only for mount in mounts),
            path in self.tables.swaps,
        )

    def deepen(self, disk: FoundDisk, declared: DeclaredDisk) -> FoundDisk:
        """A disk with what only a closer look tells; what the system lives on is not looked into."""
        if disk.uses:
            return disk
        disk = replace(disk, smart=_smart(disk.path))
        mounted = [volume for volume in disk.volumes if declared.mount_path in volume.mounts]
        if mounted:
            # No consent is asked for it, and one bad sector that a reading would meet is no reason to call it dead.
            return replace(disk, volumes=_looked_into(disk, declared.mount_path), busy=True)
        disk = _with_holders(disk)
        if any(volume.mounts for volume in disk.volumes):
            return disk
        if _is_finished(disk):
            return replace(disk, volumes=_looked_into(disk, ""))
        return _contents_read(disk)


def _with_holders(disk: FoundDisk) -> FoundDisk:
    held = open_by(disk.numbers)
    held_by = [f"{name} has it open" for number in disk.numbers for name in held.get(number, ())]
    busy = _busy(disk)
    if busy and not disk.stacked and not any(volume.mounts or volume.swap for volume in disk.volumes):
        held_by += mounted_by(disk.numbers)
    return replace(disk, busy=busy, held_by=tuple(dict.fromkeys(held_by)))


def _contents_read(disk: FoundDisk) -> FoundDisk:
    try:
        seen: Dict[str, Any] = apart(lambda: content_of(disk), 2 * DISK_SECONDS)
        wiped = apart(lambda: half_wiped(disk), DISK_SECONDS)
    except StepError as error:
        return replace(disk, dead=str(error))
    disk = replace(
        disk,
        evidence=seen["evidence"],
        inside=seen["inside"],
        digest=seen["digest"],
        untold=tuple(seen["untold"]),
        half_wiped=wiped,
    )
    if len(disk.volumes) == 1 and not disk.volumes[0].signatures:
        hidden = next((found for found in (_signature_at(disk, at) for at in seen["begins"]) if found), ())
        return replace(disk, hidden=hidden)
    volumes = _looked_into(disk, "")
    for path, past in seen["past"].items():
        volumes = tuple(
            replace(each, look=replace(each.look, **past)) if each.path == path and each.look else each for each in volumes
        )
    return replace(disk, volumes=volumes)


def _looked_into(disk: FoundDisk, mount_path: str) -> Tuple[BlockDevice, ...]:
    """Its volumes with a look into each filesystem, also where another signature stands beside it, as an old array's does.

    With a mount path, only into the one that is mounted there.
    """
    volumes = []
    for volume in disk.volumes:
        kinds = [signature.type for signature in volume.signatures if signature.type in LOOKED_INTO]
        if volume.kind != "stacked" and (kinds or mount_path) and (mount_path in volume.mounts or not mount_path):
            volumes.append(replace(volume, look=look(volume.path, kinds[0] if kinds else "", mount_path)))
        else:
            volumes.append(volume)
    return tuple(volumes)


def ends(disk: FoundDisk) -> Tuple[str, str]:
    """Its first and its last MiB, for `whole_ends`. Raises OSError when they cannot be read."""
    with Medium(disk.path) as medium:
        first, last = medium.read(0, MIB), medium.read(disk.size - MIB, MIB)
    # Short where they are mostly zero: they go through a pipe.
    return first.rstrip(b"\0").hex(), last.lstrip(b"\0").hex()


def whole_ends(first: str, last: str) -> Tuple[bytes, bytes]:
    """The first and the last MiB of a disk as they are."""
    return bytes.fromhex(first).ljust(MIB, b"\0"), bytes.fromhex(last).rjust(MIB, b"\0")


def signatures(path: str) -> Tuple[Signature, ...]:
    """Everything that libblkid recognises on a device, except partition tables' protective copies."""
    out = run("wipefs", "--no-act", "--json", path, seconds=DISK_SECONDS, looks=True)
    found = json.loads(out)["signatures"] if out.strip() else []
    return tuple(
        Signature(each["type"], int(each["offset"], 16), each.get("uuid") or "", each.get("label") or "") for each in found
    )


NOTHING_FOUND = 2
"""How blkid(8) ends then; with anything else, such as 8 for more than one, there is something."""


def _signature_at(disk: FoundDisk, offset: int) -> Tuple[Signature, ...]:
    """What would be recognised if a partition began there: the filesystem that a wiped table leaves behind."""
    command = ["blkid", "--probe", "--offset", str(offset), "--output", "export", disk.path]
    status, out, err = answer(command, DISK_SECONDS, looks=True)
    if status == NOTHING_FOUND and not err:
        return ()
    fields = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    kind = fields.get("TYPE") or fields.get("PTTYPE") or "something that blkid cannot tell"
    return (Signature(kind, offset, fields.get("UUID", ""), fields.get("LABEL", "")),)


def _busy(disk: FoundDisk) -> bool:
    if disk.stacked or any(volume.mounts or volume.swap for volume in disk.volumes):
        return True
    try:
        os.close(opened(disk.path, alone=True))
    except RefusedError:
        return True
    return False


def _smart(path: str) -> str:
    try:
        _, out, _ = answer(["smartctl", "--health", "--json", path], 30, looks=True)
        passed = json.loads(out or "{}").get("smart_status", {}).get("passed")
    except (StepError, ValueError):
        return "not checked"
    return {True: "passed", False: "failing"}.get(passed, "not checked")


def _is_finished(disk: FoundDisk) -> bool:
    """Its partition carries the mark of a preparation that was finished on exactly this hardware."""
    return any(made_by_us(disk, volume) and volume.partition_name == READY for volume in disk.partitions)
