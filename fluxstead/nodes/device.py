"""Where a disk is found on its machine: the names that udev and the kernel give to whole disks."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from fluxstead.core.refusal import refuse

_BY_ID = "/dev/disk/by-id/"
_ON_THE_DISK = re.compile(r"/dev/disk/by-(?:uuid|label|partuuid|partlabel)/")
_PARTITION = re.compile(
    r"(?P<disk>/dev/(?:sd|vd|xvd|hd)[a-z]+)\d+|(?P<numbered>/dev/(?:nvme\d+n\d+|mmcblk\d+|nbd\d+|loop\d+))p\d+"
    r"|(?P<link>/dev/disk/by-[a-z]+/.+)-part\d+"
)
"""The kernel puts `p` between a disk's number and a partition's (linux: block/partitions/core.c); udev adds `-partN`."""
_SERIAL_AT_END = r"(?:ata|nvme)-(?!eui\.|uuid\.|nvme\.)(?P<rest>.+_.+)"
"""Links of the form `<bus>-<model>_<serial>` (systemd: rules.d/60-persistent-storage.rules)."""
_WORLD_WIDE = r"(?:wwn-0x|nvme-eui\.)(?P<name>[0-9a-fA-F]+)"


def _device(value: str) -> str:
    if not value.startswith("/dev/") or any(not (character.isalnum() or character in "/._:+-") for character in value):
        raise refuse(
            f"{value!r} is not a block device",
            why="the disk to prepare has to be found beyond doubt (U1)",
            fix="a stable link such as /dev/disk/by-id/ata-…, from `ls -l /dev/disk/by-id`",
        )
    partition = _PARTITION.fullmatch(value)
    if partition:
        raise refuse(
            f"{value!r} is a partition, and not a disk",
            why="a whole disk is looked at and prepared, and a part of one says nothing about the rest (U1)",
            fix=partition["disk"] or partition["numbered"] or partition["link"],
        )
    if _ON_THE_DISK.match(value):
        raise refuse(
            f"{value!r} names what is on a disk, and not the disk",
            why="a blank disk has no such name, and a copied one has the same (U1)",
            fix="a stable link such as /dev/disk/by-id/ata-…, from `ls -l /dev/disk/by-id`",
        )
    return value


Device = Annotated[str, AfterValidator(_device)]
"""A whole disk below /dev."""


def contradiction(device: str, serial: str | None, wwn: str | None) -> str | None:
    """Which of a disk's other names its stable link contradicts: `serial` or `wwn`. None for links that carry neither."""
    link = device.removeprefix(_BY_ID)
    if link == device:
        return None
    by_serial, by_wwn = re.fullmatch(_SERIAL_AT_END, link), re.fullmatch(_WORLD_WIDE, link)
    if serial and by_serial and _plain(serial) not in _plain(by_serial["rest"]):
        return "serial"
    if (
        wwn
        and by_wwn
        and _plain(by_wwn["name"]) not in _plain(wwn)
        and _plain(wwn).removeprefix("0x") not in by_wwn["name"].lower()
    ):
        return "wwn"
    return None


def _plain(name: str) -> str:
    """Only letters and digits: udev replaces every other character by its own rules."""
    return re.sub(r"[^0-9a-z]", "", name.lower())
