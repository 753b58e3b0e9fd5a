"""Data written straight to a disk, without any table: databases, disk images, archives."""

from __future__ import annotations

import io
import struct
import tarfile

from .checksums import GIB, KIB, MIB, UUID, fields, noise


def postgresql(size: int, sector: int) -> dict[int, bytes]:
    """Pages of a PostgreSQL table; src/include/storage/bufpage.h: no magic, only a layout version and sane bounds."""
    del size, sector

    def page(number: int) -> bytes:
        header = struct.pack("<IIHHHHHHI", 0, 0x1A2B3C0 + number, 0, 0, 28, 8 * KIB - 64, 8 * KIB, 0x2004, 0)
        return header.ljust(8 * KIB - 64, b"\0") + noise(64, f"row {number}")

    return {0: b"".join(page(number) for number in range(8))}


def sqlite(size: int, sector: int) -> dict[int, bytes]:
    """An SQLite database; "Database File Format", section 1.3."""
    del size, sector
    header = struct.pack(">16sHBBBBBBIIIIII", b"SQLite format 3\0", 4096, 1, 1, 0, 64, 32, 32, 5, 3, 0, 0, 1, 4)
    page = header.ljust(92, b"\0") + struct.pack(">II", 5, 3_040_001) + b"\x0d\0\0\0\0\x10\0\0"
    return {0: page, 8 * KIB - 64: noise(64, "sqlite")}


def qcow2(size: int, sector: int) -> dict[int, bytes]:
    """A qcow2 image copied to a disk by mistake; QEMU's docs/interop/qcow2.txt."""
    del size, sector
    header = struct.pack(
        ">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", 3, 0, 0, 16, 10 * GIB, 0, 20, 0x30000, 0x10000, 1, 0, 0, 0, 0, 0, 4, 104
    )
    return {0: header, 64 * KIB: struct.pack(">Q", 0x20000), 192 * KIB: struct.pack(">Q", 1 << 63 | 0x40000)}


def vmdk(size: int, sector: int) -> dict[int, bytes]:
    """A sparse VMDK copied to a disk; VMware's "Virtual Disk Format 5.0", section "Hosted Sparse Extent"."""
    del size, sector
    header = struct.pack("<4sIIQQQQIQQQB4s", b"KDMV", 1, 3, 10 * GIB // 512, 128, 1, 20, 512, 21, 260, 384, 0, b"\n \r\n")
    return {0: header, 512: b'# Disk DescriptorFile\nversion=1\nCID=1a2b3c4d\nparentCID=ffffffff\ncreateType="monolithicSparse"\n'}


def vhd(size: int, sector: int) -> dict[int, bytes]:
    """A fixed VHD copied to a disk of its length: a footer in the last sector; Microsoft's "Virtual Hard Disk Image Format"."""
    del sector
    footer = fields(
        512,
        (0, "8s", b"conectix"),
        (8, ">I", 2),
        (12, ">I", 0x10000),
        (16, ">Q", 2**64 - 1),
        (28, "4s", b"win "),
        (40, ">Q", size),
        (48, ">Q", size),
        (60, ">I", 2),
        (68, "16s", UUID),
    )
    struct.pack_into(">HBB", footer, 56, min(size // 512 // (16 * 255), 0xFFFF), 16, 255)
    struct.pack_into(">I", footer, 64, 0xFFFFFFFF - sum(footer))
    return {size - 512: bytes(footer)}


def tar(size: int, sector: int) -> dict[int, bytes]:
    """An archive on the bare disk (`tar cf /dev/sdb`), as Python's tarfile writes it; POSIX.1-2017, "ustar Interchange Format"."""
    del size, sector
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("home/photos/1.jpg", "home/photos/2.jpg"):
            member = tarfile.TarInfo(name)
            member.size = 64 * KIB
            archive.addfile(member, io.BytesIO(noise(64 * KIB, name)))
    return {0: stream.getvalue()}


def compressed_image(size: int, sector: int) -> dict[int, bytes]:
    """An `.img.xz` that was written to the card without unpacking it; "The .xz File Format", section 2.1.1."""
    del size, sector
    return {0: b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46" + noise(MIB, "xz")}
