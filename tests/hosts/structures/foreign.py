"""Filesystems of Windows, macOS and optical media, and their encryption."""

from __future__ import annotations

import struct

from .checksums import KIB, MIB, UUID, fields, fletcher64, noise


def ntfs(size: int, sector: int) -> dict[int, bytes]:
    """NTFS: boot sector, its copy in the last sector, the MFT and its mirror; fs/ntfs3/ntfs.h, `NTFS_BOOT` and `MFT_REC`."""
    cluster = 4 * KIB
    sectors = size // sector - 1
    boot = fields(
        512,
        (0, "3s", b"\xeb\x52\x90"),
        (3, "8s", b"NTFS    "),
        (11, "<H", sector),
        (13, "<B", cluster // sector),
        (21, "<B", 0xF8),
        (24, "<H", 63),
        (26, "<H", 255),
        (36, "<I", 0x800080),
        (40, "<Q", sectors),
        (48, "<Q", 4),
        (56, "<Q", size // cluster // 2),
        (64, "<b", -10),
        (68, "<b", 1),
        (72, "<Q", 0x1A2B3C4D5E6F7081),
        (510, "<H", 0xAA55),
    )
    record = fields(
        KIB,
        (0, "4s", b"FILE"),
        (4, "<H", 48),
        (6, "<H", 3),
        (16, "<H", 1),
        (20, "<H", 56),
        (22, "<H", 1),
        (24, "<I", 64),
        (28, "<I", KIB),
        (56, "<I", 0xFFFFFFFF),
    )
    table = bytes(record) * 4
    return {0: bytes(boot), 4 * cluster: table, size // cluster // 2 * cluster: table, sectors * sector: bytes(boot)}


def exfat(size: int, sector: int) -> dict[int, bytes]:
    """exFAT: boot region and its copy after twelve sectors; Microsoft's "exFAT file system specification", sections 3.1 to 3.4."""
    boot = fields(
        sector,
        (0, "3s", b"\xeb\x76\x90"),
        (3, "8s", b"EXFAT   "),
        (72, "<Q", size // sector),
        (80, "<I", 128),
        (84, "<I", 128),
        (88, "<I", 512),
        (92, "<I", min((size // sector - 512) // 8, 0xFFFFFF0)),
        (96, "<I", 4),
        (100, "<I", 0x1234ABCD),
        (104, "<H", 0x100),
        (108, "<B", sector.bit_length() - 1),
        (109, "<B", 3),
        (110, "<B", 1),
        (111, "<B", 0x80),
        (510, "<H", 0xAA55),
    )
    extended = bytes(sector - 4) + b"\0\0\x55\xaa"
    region = bytes(boot) + extended * 8 + bytes(2 * sector)
    total = 0
    for place, byte in enumerate(region):
        if place not in (106, 107, 112):
            total = ((total << 31 | total >> 1) + byte) & 0xFFFFFFFF
    region += struct.pack("<I", total) * (sector // 4)
    label = b"\x83\x03" + "usb".encode("utf-16-le").ljust(30, b"\0")
    return {0: region, 12 * sector: region, 128 * sector: b"\xf8\xff\xff\xff" + b"\xff" * 16, (512 + 2 * 8) * sector: label}


def hfsplus(size: int, sector: int) -> dict[int, bytes]:
    """HFS+: volume header at 1 KiB and in the last but one 512 bytes; Apple's Technical Note TN1150, "Volume Header"."""
    del sector
    header = bytes(
        fields(
            512,
            (0, "2s", b"H+"),
            (2, ">H", 4),
            (4, ">I", 0x100),
            (8, "4s", b"10.0"),
            (16, ">I", 0xD5000000),
            (20, ">I", 0xD5000000),
            (32, ">I", 100),
            (40, ">I", 4 * KIB),
            (44, ">I", size // (4 * KIB) & 0xFFFFFFFF),
            (48, ">I", size // (8 * KIB) & 0xFFFFFFFF),
            (64, ">I", 200),
            (104, "8s", UUID[:8]),
        )
    )
    return {KIB: header, size - KIB: header}


def apfs(size: int, sector: int) -> dict[int, bytes]:
    """APFS: container superblock in block 0, its checkpoint copy, one volume; Apple File System Reference, `nx_superblock_t`."""
    del sector

    def sealed(block: bytearray) -> bytes:
        struct.pack_into("<Q", block, 0, fletcher64(bytes(block[8:])))
        return bytes(block)

    def container(transaction: int) -> bytes:
        return sealed(
            fields(
                4 * KIB,
                (8, "<Q", 1),
                (16, "<Q", transaction),
                (24, "<I", 0x80000001),
                (32, "4s", b"NXSB"),
                (36, "<I", 4 * KIB),
                (40, "<Q", size // (4 * KIB)),
                (64, "<Q", 2),
                (72, "16s", UUID),
                (88, "<Q", 1030),
                (104, "<I", 8),
                (108, "<I", 52),
            )
        )

    volume = fields(4 * KIB, (8, "<Q", 1026), (16, "<Q", 3), (24, "<I", 13), (32, "4s", b"APSB"), (240, "16s", UUID[::-1]))
    return {0: container(1), 8 * KIB: container(3), 400 * KIB: sealed(volume)}


def bitlocker(size: int, sector: int) -> dict[int, bytes]:
    """BitLocker since Windows 7: volume header and three FVE metadata blocks; libyal's libbde, its format document."""
    places = [size // 16 // (64 * KIB) * 64 * KIB * part + 4 * MIB for part in (1, 2, 3)]
    header = fields(
        512,
        (0, "3s", b"\xeb\x58\x90"),
        (3, "8s", b"-FVE-FS-"),
        (11, "<H", sector),
        (13, "<B", 8),
        (21, "<B", 0xF8),
        (67, "<I", 0x1234ABCD),
        (71, "11s", b"NO NAME    "),
        (160, "16s", bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")),
        (510, "<H", 0xAA55),
    )
    struct.pack_into("<3Q", header, 176, *places)
    block = fields(
        4 * KIB,
        (0, "8s", b"-FVE-FS-"),
        (8, "<H", 64),
        (10, "<H", 2),
        (16, "<Q", size),
        (64, "<I", 48),
        (68, "<I", 1),
        (72, "<I", 48),
        (76, "<I", 48),
    )
    struct.pack_into("<4Q", block, 24, 0, *places)
    block[80:96] = UUID
    return {0: bytes(header), 16 * KIB: noise(64 * KIB, "bitlocker"), **dict.fromkeys(places, bytes(block))}


def iso9660_hybrid(size: int, sector: int) -> dict[int, bytes]:
    """An ISO 9660 image with a hybrid MBR, as installers are written to USB sticks; ECMA-119, 8.4 and 9.1; isohybrid's MBR."""
    del size, sector
    length = 64 * MIB

    def both(value: int, form: str) -> bytes:
        return struct.pack("<" + form, value) + struct.pack(">" + form, value)

    def entry(name: bytes) -> bytes:
        return b"\x22\0" + both(20, "I") + both(2048, "I") + bytes([124, 6, 1, 0, 0, 0, 0, 2, 0, 0]) + both(1, "H") + b"\x01" + name

    volume = bytearray(2048)
    volume[0:7] = b"\x01CD001\x01"
    volume[8:72] = b"LINUX".ljust(32) + b"DEBIAN 12".ljust(32)
    volume[80:88] = both(length // 2048, "I")
    volume[120:132] = both(1, "H") + both(1, "H") + both(2048, "H")
    volume[156:190] = entry(b"\0")
    volume[813:830] = b"2024010112000000\0"
    volume[881] = 1
    mbr = fields(
        512,
        (0, "4s", b"\x33\xed\x90\x90"),
        (440, "<I", 0x1F2E3D4C),
        (446, "<B", 0x80),
        (450, "<B", 0x17),
        (458, "<I", length // 512),
        (510, "<H", 0xAA55),
    )
    return {
        0: bytes(mbr),
        32 * KIB: bytes(volume),
        34 * KIB: b"\xffCD001\x01".ljust(2048, b"\0"),
        40 * KIB: entry(b"\0") + entry(b"\x01"),
    }
