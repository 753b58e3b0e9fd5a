"""Members of RAID sets: Linux md, firmware RAID, DRBD."""

from __future__ import annotations

import struct
import zlib

from .checksums import KIB, UUID, fields, noise
from .filesystems import ext4

MD_MAGIC = 0xA92B4EFC


def md_0_90(size: int, sector: int) -> dict[int, bytes]:
    """Linux md, metadata 0.90: in the last whole 64 KiB but one; include/uapi/linux/raid/md_p.h, `struct mdp_superblock_s`."""
    del sector
    place = (size & ~(64 * KIB - 1)) - 64 * KIB
    words = [MD_MAGIC, 0, 90, 0, 0, 0x11223344, 1_700_000_000, 1, place // KIB, 2, 2, 0, 0, 0x55667788, 0x99AABBCC, 0xDDEEFF00]
    return {place: struct.pack("<16I", *words).ljust(4 * KIB, b"\0")}


def md_data_offset(size: int) -> int:
    """Where mdadm lets the data of a 1.1 or 1.2 member begin, in bytes: mdadm's super1.c keeps up to 128 MiB of headroom."""
    sectors = size // 512
    headroom = 128 * 1024 * 2
    while headroom << 10 > sectors and headroom > 2048:
        headroom >>= 1
    return -(-(headroom + 24 + 256) // 2048) * 2048 * 512


def _md_1(size: int, place: int, data_offset: int) -> dict[int, bytes]:
    block = fields(
        4 * KIB,
        (0, "<I", MD_MAGIC),
        (4, "<I", 1),
        (16, "16s", UUID),
        (32, "32s", b"storage:0"),
        (64, "<Q", 1_700_000_000),
        (72, "<I", 1),
        (80, "<Q", (size - data_offset) // 512 // 8 * 8),
        (92, "<I", 2),
        (128, "<Q", data_offset // 512),
        (136, "<Q", (size - data_offset) // 512),
        (144, "<Q", place // 512),
        (168, "16s", UUID[::-1]),
        (192, "<Q", 1_700_000_100),
        (200, "<Q", 42),
        (208, "<Q", 2**64 - 1),
        (220, "<I", 2),
        (256, "<H", 0),
        (258, "<H", 1),
    )
    total = sum(word for (word,) in struct.iter_unpack("<I", bytes(block[:260])))
    struct.pack_into("<I", block, 216, ((total >> 32) + total) & 0xFFFFFFFF)
    return {place: bytes(block)}


def md_1_0(size: int, sector: int) -> dict[int, bytes]:
    """Linux md, metadata 1.0: 8 KiB before the end, whole 4 KiB; md_p.h, `struct mdp_superblock_1`."""
    del sector
    place = (size & ~(4 * KIB - 1)) - 8 * KIB
    return _md_1(size, place, 0)


def md_1_1(size: int, sector: int) -> dict[int, bytes]:
    """Linux md, metadata 1.1: in the first bytes; md_p.h, `struct mdp_superblock_1`."""
    del sector
    return _md_1(size, 0, md_data_offset(size))


def md_1_2(size: int, sector: int) -> dict[int, bytes]:
    """Linux md, metadata 1.2: at 4 KiB; md_p.h, `struct mdp_superblock_1`."""
    del sector
    return _md_1(size, 4 * KIB, md_data_offset(size))


def md_1_2_with_bitmap(size: int, sector: int) -> dict[int, bytes]:
    """Linux md, metadata 1.2 with a write-intent bitmap 4 KiB later; drivers/md/md-bitmap.h, `bitmap_super_t`."""
    bitmap = fields(
        4 * KIB, (0, "4s", b"bitm"), (4, "<I", 4), (8, "16s", UUID), (24, "<Q", 42), (40, "<Q", size // 512), (52, "<I", 64 << 20)
    )
    return {**md_1_2(size, sector), 8 * KIB: bytes(bitmap)}


def md_superblock_zeroed(size: int, sector: int) -> dict[int, bytes]:
    """A member after `mdadm --zero-superblock`: only what stood in the array is left, from the data offset on."""
    start = md_data_offset(size)
    return {start + place: data for place, data in ext4(size - start, sector).items()}


def imsm(size: int, sector: int) -> dict[int, bytes]:
    """Intel Matrix RAID: the anchor stands two sectors before the end; mdadm's super-intel.c, `struct imsm_super`."""
    block = fields(
        512,
        (0, "32s", b"Intel Raid ISM Cfg Sig. 1.1.00"),
        (36, "<I", 0x188),
        (40, "<I", 0x1F2E3D4C),
        (44, "<I", 7),
        (52, "<I", 0x80000000),
        (56, "<B", 2),
        (57, "<B", 1),
        (216, "16s", b"WD-WX11A80K1234"),
        (232, "<I", (size // 512) & 0xFFFFFFFF),
        (240, "<I", 0x13A),
    )
    struct.pack_into("<I", block, 32, sum(word for (word,) in struct.iter_unpack("<I", bytes(block[:0x188]))) & 0xFFFFFFFF)
    return {(size // sector - 2) * sector: bytes(block)}


def promise(size: int, sector: int) -> dict[int, bytes]:
    """Promise FastTrak: 63 sectors of 512 bytes before the end; dmraid's pdc.h, libblkid's promise_raid.c."""
    del sector
    block = fields(
        2 * KIB, (0, "24s", b"Promise Technology, Inc."), (0x20, "<I", 0x80), (0x200, "<I", 0x20000), (0x204, "<I", 0xC0FFEE)
    )
    return {(size // 512 - 63) * 512: bytes(block)}


def ddf(size: int, sector: int) -> dict[int, bytes]:
    """SNIA Common RAID Disk Data Format 2.0, section 5.2: the anchor is the last sector, the header 1 MiB before."""
    header = fields(
        512,
        (0, ">I", 0xDE11DE11),
        (4, ">I", 0xFFFFFFFF),
        (8, "24s", b"LSI     " + UUID),
        (32, "8s", b"01.02.00"),
        (40, ">I", 1),
        (51, "13s", b"\xff" * 13),
        (64, "32s", b"\xff" * 32),
        (96, ">Q", size // 512 - 2048),
        (104, ">Q", 2**64 - 1),
    )
    struct.pack_into(">I", header, 4, zlib.crc32(bytes(header)))
    return {(size // sector - 1) * sector: bytes(header), (size // 512 - 2048) * 512: bytes(header)}


def drbd(size: int, sector: int) -> dict[int, bytes]:
    """DRBD 8.4 with internal metadata: the superblock is the last 4 KiB, activity log and bitmap before it; drbd's drbdmeta.c."""
    del sector
    place = (size & ~(4 * KIB - 1)) - 4 * KIB
    sectors = -(-size // (4 * KIB) // 8 // 512) + 64 + 8
    block = fields(
        4 * KIB,
        (0, ">Q", place // 512),
        (8, ">Q", 0x1122334455667788),
        (40, ">Q", 0x0807060504030201),
        (60, ">I", 0x8374026B),
        (64, ">I", sectors),
        (68, ">i", -64),
        (72, ">I", 1237),
        (76, ">i", -sectors + 8),
        (80, ">I", 4 * KIB),
    )
    return {place: bytes(block), place - 32 * KIB: noise(4 * KIB, "drbd activity log")}
