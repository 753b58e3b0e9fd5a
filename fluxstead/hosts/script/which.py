"""Which disk of the host a declaration means."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from fluxstead.hosts.script.gpt import partition_guid
from fluxstead.hosts.script.model import BlockDevice, DeclaredDisk, FoundDisk, Host
from fluxstead.hosts.script.text import describe, stable_name

RENDER = "to go on without it: ./run render writes the tree and dials no host"


def identify(declared: DeclaredDisk, host: Host) -> Tuple[Optional[FoundDisk], List[str], str]:
    """The one disk that every declared name agrees on, or what stands against it (U1)."""
    named: List[Tuple[str, List[FoundDisk]]] = []
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
    absent = [what for what, found in named if not found]
    met: Dict[str, FoundDisk] = {disk.path: disk for _, found in named for disk in found}
    if not met:
        return None, [f"no disk of this host has {' and '.join(absent)}; {RENDER}"], ""
    # Namespaces of one NVMe controller share its serial, and are told apart by a second name.
    common = [path for path in met if all(path in {disk.path for disk in found} for _, found in named)]
    if len(common) > 1:
        seen = "; ".join(f"{describe(met[path])}, wwn {met[path].wwn or 'none'}" for path in common)
        return None, [f"{' and '.join(what for what, _ in named)} is found twice: {seen}"], ""
    if not common:
        problems = [f"{what} is {' and '.join(map(describe, found))}" for what, found in named if found]
        problems += [f"no disk of this host has {what}" for what in absent]
        by_serial = next((found[0] for what, found in named[::-1] if found), None)
        write = f"device: {stable_name(by_serial)}" if by_serial else ""
        return None, ["the names of this disk do not agree: " + "; ".join(problems)], write
    return met[common[0]], [], ""


def _same_wwn(declared: str, found: str) -> bool:
    def bare(text: str) -> str:
        return text.lower().replace("0x", "", 1).replace("naa.", "", 1).replace("eui.", "", 1)

    return bool(found) and bare(declared) == bare(found)


def made_by_us(disk: FoundDisk, volume: BlockDevice) -> bool:
    """The partition carries the identifier that a preparation of exactly this hardware gives."""
    return bool(disk.serial) and volume.kind == "partition" and volume.partition_guid == partition_guid(disk.serial)


def well_named(declared: DeclaredDisk, disk: FoundDisk) -> bool:
    """A name that stays with the hardware says that this is the disk: serial, WWN, or a by-id name that holds one."""
    if not disk.confirmed:
        return False
    if declared.serial or declared.wwn:
        return bool(disk.serial)
    device = declared.device or ""
    marks = [mark for mark in (*disk.serials, disk.wwn.replace("0x", "")) if len(mark) >= 4]
    return device in disk.links and any(mark.replace(" ", "_").lower() in device.lower() for mark in marks)
