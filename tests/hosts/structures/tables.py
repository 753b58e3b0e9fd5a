"""Partition tables, whole and in parts."""

from __future__ import annotations

import binascii
import struct

from .checksums import KIB, MIB, UUID, fields
from .filesystems import ext4

LINUX = bytes.fromhex("af3dc60f838472478e793d69d8477de4")


def _entry(kind: int, start: int, sectors: int) -> bytes:
    return struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, min(sectors, 0xFFFFFFFF))


def _mbr(*entries: bytes) -> bytes:
    return bytes(440) + struct.pack("<IH", 0x1F2E3D4C, 0) + b"".join(entries).ljust(64, b"\0") + b"\x55\xaa"


def mbr_at_63(size: int, sector: int) -> dict[int, bytes]:
    """An MBR as before 2008: the first partition at sector 63, with ext4; UEFI Specification 2.10, table 5.1."""
    table = _mbr(_entry(0x83, 63, size // sector - 63))
    return {0: table, **{63 * sector + place: data for place, data in ext4(size - 63 * sector, sector).items()}}


def mbr_extended(size: int, sector: int) -> dict[int, bytes]:
    """An MBR with an extended partition: a second table at its start; UEFI Specification 2.10, section 5.2.1."""
    start = 4 * MIB // sector
    logical = _mbr(_entry(0x83, 2048, size // sector - start - 2048))
    return {0: _mbr(_entry(0x0F, start, size // sector - start)), start * sector: logical}


def protective_mbr(size: int, sector: int) -> dict[int, bytes]:
    """A protective MBR with no GPT behind it; UEFI Specification 2.10, table 5.3."""
    return {0: _mbr(_entry(0xEE, 1, size // sector - 1))}


def _gpt(size: int, sector: int, *, backup: bool) -> dict[int, bytes]:
    last = size // sector - 1
    entry = LINUX + UUID + struct.pack("<QQQ", MIB // sector, last - MIB // sector, 0) + "data".encode("utf-16-le").ljust(72, b"\0")
    entries = entry.ljust(16 * KIB, b"\0")
    length = 16 * KIB // sector
    here, other, listed = (last, 1, last - length) if backup else (1, last, 2)
    header = fields(
        92,
        (0, "8s", b"EFI PART"),
        (8, "<I", 0x10000),
        (12, "<I", 92),
        (24, "<Q", here),
        (32, "<Q", other),
        (40, "<Q", 2 + length),
        (48, "<Q", last - length - 1),
        (56, "16s", UUID[::-1]),
        (72, "<Q", listed),
        (80, "<I", 128),
        (84, "<I", 128),
        (88, "<I", binascii.crc32(entries)),
    )
    struct.pack_into("<I", header, 16, binascii.crc32(bytes(header)))
    return {here * sector: bytes(header), listed * sector: entry}


def gpt(size: int, sector: int) -> dict[int, bytes]:
    """A whole GPT; UEFI Specification 2.10, section 5.3."""
    return {**protective_mbr(size, sector), **_gpt(size, sector, backup=False), **_gpt(size, sector, backup=True)}


def gpt_primary_only(size: int, sector: int) -> dict[int, bytes]:
    """A GPT without its copy: an image of a smaller disk, or an end that was overwritten."""
    return {**protective_mbr(size, sector), **_gpt(size, sector, backup=False)}


def gpt_backup_only(size: int, sector: int) -> dict[int, bytes]:
    """The copy of a GPT in the last sectors: what `dd` of the first MiB leaves."""
    return _gpt(size, sector, backup=True)


def apple_partition_map(size: int, sector: int) -> dict[int, bytes]:
    """An Apple Partition Map with an HFS partition; Inside Macintosh: Devices, chapter 3."""
    del sector
    blocks = min(size // 512, 0xFFFFFFFF)
    driver = fields(512, (0, "2s", b"ER"), (2, ">H", 512), (4, ">I", blocks))
    first = fields(
        512,
        (0, "2s", b"PM"),
        (4, ">I", 2),
        (8, ">I", 1),
        (12, ">I", 63),
        (16, "32s", b"Apple"),
        (48, "32s", b"Apple_partition_map"),
    )
    second = fields(
        512, (0, "2s", b"PM"), (4, ">I", 2), (8, ">I", 64), (12, ">I", blocks - 64), (16, "32s", b"disk"), (48, "32s", b"Apple_HFS")
    )
    return {0: bytes(driver), 512: bytes(first), 1024: bytes(second)}


def sun_disklabel(size: int, sector: int) -> dict[int, bytes]:
    """A Sun disk label (VTOC) in sector 0; block/partitions/sun.c, `struct sun_disklabel`."""
    del sector
    cylinders = min(size // 512 // (255 * 63), 0xFFFF)
    label = fields(
        512,
        (0, "128s", b"SUN36G cyl 24620 alt 2 hd 27 sec 107"),
        (128, ">I", 1),
        (140, ">H", 8),
        (142, ">H", 2),
        (150, ">H", 5),
        (188, ">I", 0x600DDEEE),
        (420, ">H", 7200),
        (422, ">H", cylinders),
        (430, ">H", 1),
        (432, ">H", cylinders),
        (436, ">H", 255),
        (438, ">H", 63),
        (448, ">I", min(cylinders * 255 * 63, 0xFFFFFFFF)),
        (460, ">I", 0),
        (464, ">I", min(cylinders * 255 * 63, 0xFFFFFFFF)),
        (508, ">H", 0xDABE),
    )
    total = 0
    for (word,) in struct.iter_unpack(">H", bytes(label)):
        total ^= word
    struct.pack_into(">H", label, 510, total)
    return {0: bytes(label)}


def bsd_disklabel(size: int, sector: int) -> dict[int, bytes]:
    """A BSD disk label in sector 1; FreeBSD's sys/sys/disklabel.h, `struct disklabel`."""
    del sector
    sectors = min(size // 512, 0xFFFFFFFF)
    label = fields(
        276,
        (0, "<I", 0x82564557),
        (4, "<H", 4),
        (8, "16s", b"SCSI disk"),
        (40, "<I", 512),
        (44, "<I", 63),
        (48, "<I", 255),
        (52, "<I", sectors // (255 * 63)),
        (56, "<I", 255 * 63),
        (60, "<I", sectors),
        (132, "<I", 0x82564557),
        (138, "<H", 8),
        (140, "<I", 8 * KIB),
        (144, "<I", 8 * KIB),
        (148, "<I", sectors - 16),
        (152, "<I", 16),
        (160, "<B", 7),
        (180, "<I", sectors),
    )
    total = 0
    for (word,) in struct.iter_unpack("<H", bytes(label)):
        total ^= word
    struct.pack_into("<H", label, 136, total)
    return {512: bytes(label)}
