"""Which disk a device is: what the kernel itself holds of the hardware, and whether udev's database means the same disk."""

from __future__ import annotations

import glob
import os
import re
from typing import Dict, List, Tuple

from fluxstead.hosts.script.model import FoundDisk
from fluxstead.hosts.script.tools import text_of

UDEV_SERIALS = ("ID_SCSI_SERIAL", "SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL")
SEQUENCE_LINK = "disk/by-diskseq/"


def identity(name: str) -> FoundDisk:
    """Which disk it is, without reading it."""
    base, number = f"/sys/block/{name}", number_of(name)
    udev = udev_of(number)
    kernel = kernel_identifiers(name)
    serials = [udev.get(key, "").strip() for key in UDEV_SERIALS] + [kernel.get("serial", "")]
    if int(text_of(f"{base}/nsid") or 1) > 1:
        # The serial is the controller's; a namespace beside the first has but its own identifier to be told by.
        serials.insert(0, text_of(f"{base}/wwid").strip())
    size = int(text_of(f"{base}/size") or 0) * 512
    sequence = text_of(f"{base}/diskseq").strip()
    doubt, confirmed = compare(kernel, udev, sequence)
    partitions = sorted(glob.glob(f"{base}/{name}*/dev"))
    return FoundDisk(
        f"/dev/{name}",
        tuple(sorted(f"/dev/{link}" for link in udev.get("links", "").split() if link.startswith("disk/by-id/"))),
        udev.get("ID_MODEL", "").strip() or text_of(f"{base}/device/model").strip(),
        tuple(dict.fromkeys(serial for serial in serials if serial)),
        udev.get("ID_WWN_WITH_EXTENSION") or udev.get("ID_WWN") or kernel.get("wwn", ""),
        size,
        int(text_of(f"{base}/queue/logical_block_size") or 512),
        (),
        read_only=text_of(f"{base}/ro").strip() == "1",
        dead="" if size else "it has no medium or says that its size is 0",
        numbers=(number, *(text_of(path).strip() for path in partitions)),
        sequence=sequence,
        doubt=doubt,
        confirmed=confirmed,
    )


def number_of(name: str) -> str:
    """The kernel's `major:minor` of a block device."""
    return text_of(f"/sys/class/block/{name}/dev").strip()


def kernel_identifiers(name: str) -> Dict[str, str]:
    """`serial`, `usb` and `wwn` as the kernel holds them; `designators` is what SCSI page 0x83 has, in hexadecimal.

    SCSI: pages 0x80 and 0x83 as read when the disk was found; NVMe: the controller's serial and the namespace's identifier;
    virtio and MMC: `serial`; USB: that of the device or bridge (Linux: Documentation/ABI, sysfs-block, sysfs-bus-usb).
    """
    base = f"/sys/block/{name}"
    page = _bytes(f"{base}/device/vpd_pg80")
    serial = page[4 : 4 + page[3]].decode("ascii", "replace").strip("\0 ") if len(page) > 4 else ""
    serial = serial or text_of(f"{base}/serial").strip() or text_of(f"{base}/device/serial").strip()
    wwid = text_of(f"{base}/wwid").strip() or text_of(f"{base}/device/wwid").strip()
    found = {
        "serial": serial or text_of(f"{base}/device/cid").strip(),
        "wwn": wwid if not wwid.startswith("t10.") else "",
        "designators": _bytes(f"{base}/device/vpd_pg83").hex(),
        "usb": _usb_serial(os.path.realpath(f"{base}/device")),
    }
    return {key: value for key, value in found.items() if value}


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _usb_serial(folder: str) -> str:
    while folder.startswith("/sys/devices/"):
        if os.path.exists(f"{folder}/idVendor"):
            return text_of(f"{folder}/serial").strip()
        folder = os.path.dirname(folder)
    return ""


def udev_of(number: str) -> Dict[str, str]:
    """The properties in udev's database of a device, and its `links`."""
    found: Dict[str, str] = {}
    links = []
    for line in text_of(f"/run/udev/data/b{number}").splitlines():
        if line.startswith("S:"):
            links.append(line[2:])
        elif line.startswith("E:"):
            key, _, value = line[2:].partition("=")
            found[key] = value
    return {**found, "links": " ".join(links)}


def compare(kernel: Dict[str, str], udev: Dict[str, str], sequence: str) -> Tuple[str, bool]:
    """Why they do not mean the same disk, or nothing; and whether an identifier of one origin is the same in both.

    A WWN may differ where the serial agrees: some adapters make up their own for a disk.
    """
    seen = [link[len(SEQUENCE_LINK) :] for link in udev.get("links", "").split() if link.startswith(SEQUENCE_LINK)]
    if seen and sequence and sequence not in seen:
        return f"udev's database is of an earlier disk (number {seen[0]}, the kernel has {sequence})", False
    pairs = _pairs(kernel, udev)
    differing = [pair for pair in pairs if not any(_same(pair[1], each) for each in pair[2])]
    agreed = len(differing) < len(pairs)
    if differing and (not agreed or differing[0][0] == "serial"):
        what, held, told = differing[0]
        return f"the kernel says {what} {held}, udev's database {told[0]}", False
    return "", agreed


def _pairs(kernel: Dict[str, str], udev: Dict[str, str]) -> List[Tuple[str, str, List[str]]]:
    """(what it is, the kernel's, udev's) of each identifier that both have from the same source."""
    bus = udev.get("ID_BUS")
    usb = "usb" in kernel
    serials = ["ID_SCSI_SERIAL", "SCSI_IDENT_SERIAL"]
    if not usb:
        serials += ["ID_SERIAL_SHORT"] if bus == "ata" or not bus else []
        serials += ["ID_SERIAL"] if not bus else []
    wwn = udev.get("ID_WWN_WITH_EXTENSION") or udev.get("ID_WWN")
    known = [
        ("serial", kernel.get("serial"), [udev[key] for key in serials if udev.get(key)]),
        ("WWN", kernel.get("designators") or kernel.get("wwn"), [wwn] if wwn else []),
        ("USB serial", kernel.get("usb"), [udev[key] for key in ("ID_USB_SERIAL_SHORT", "ID_SERIAL_SHORT") if udev.get(key)]),
    ]
    return [(what, held, told) for what, held, told in known if held and told]


def _same(held: str, told: str) -> bool:
    """Equal but for blanks and punctuation, which udev replaces, or one of several designators."""
    first, second = (
        re.sub(r"[^0-9a-z]", "", re.sub(r"^(0x|naa\.|eui\.|uuid\.|nvme\.)", "", text.lower())) for text in (held, told)
    )
    return bool(second) and (first == second or (len(second) >= 8 and second in first))
