"""Filesystems that Linux people put on disks: superblocks and their copies, at the places where each filesystem keeps them."""

from __future__ import annotations

import struct

from .checksums import GIB, KIB, MIB, UUID, crc32_raw, crc32c, fields

EXT4_GROUP = 128 * MIB


def sparse_groups(count: int) -> list[int]:
    """The block groups that keep a copy: 1 and the powers of 3, 5 and 7; Documentation/filesystems/ext4, "Sparse Super"."""
    kept = {1} if count > 1 else set()
    for base in (3, 5, 7):
        group = base
        while group < count:
            kept.add(group)
            group *= base
    return sorted(kept)


def ext4(size: int, sector: int) -> dict[int, bytes]:
    """ext4 with blocks of 4 KiB: superblock at 1 KiB, copies at group starts; fs/ext4/ext4.h, `struct ext4_super_block`."""
    del sector
    blocks = size // (4 * KIB)
    groups = -(-size // EXT4_GROUP)
    written = {}
    for group in [0, *sparse_groups(groups)]:
        block = fields(
            KIB,
            (0, "<I", groups * 8192),
            (4, "<I", blocks & 0xFFFFFFFF),
            (12, "<I", blocks // 2 & 0xFFFFFFFF),
            (16, "<I", groups * 8192 - 11),
            (24, "<I", 2),
            (28, "<I", 2),
            (32, "<I", 32768),
            (36, "<I", 32768),
            (40, "<I", 8192),
            (44, "<I", 1_700_000_000),
            (48, "<I", 1_700_000_000),
            (52, "<H", 3),
            (54, "<H", 0xFFFF),
            (56, "<H", 0xEF53),
            (58, "<H", 1),
            (60, "<H", 1),
            (64, "<I", 1_700_000_000),
            (76, "<I", 1),
            (84, "<I", 11),
            (88, "<H", 256),
            (90, "<H", group),
            (92, "<I", 0x3C),
            (96, "<I", 0x2C2),
            (100, "<I", 0x46B),
            (104, "16s", UUID),
            (120, "16s", b"longhorn"),
            (254, "<H", 64),
            (336, "<I", blocks >> 32),
            (373, "<B", 1),
        )
        struct.pack_into("<I", block, 1020, crc32c(bytes(block[:1020])))
        written[group * EXT4_GROUP or KIB] = bytes(block)
    return written


def xfs(size: int, sector: int) -> dict[int, bytes]:
    """XFS version 5: a superblock at the start of each of four allocation groups; fs/xfs/libxfs/xfs_format.h, `struct xfs_dsb`."""
    blocks = size // (4 * KIB)
    group = -(-blocks // 4)
    log = 9 if sector == 512 else 12
    block = fields(
        sector,
        (0, "4s", b"XFSB"),
        (4, ">I", 4 * KIB),
        (8, ">Q", blocks),
        (32, "16s", UUID),
        (48, ">Q", 8192),
        (56, ">Q", 128),
        (64, ">Q", 129),
        (72, ">Q", 130),
        (80, ">I", 1),
        (84, ">I", group),
        (88, ">I", 4),
        (96, ">I", 2560),
        (100, ">H", 0xB4B5),
        (102, ">H", sector),
        (104, ">H", 512),
        (106, ">H", 8),
        (108, "12s", b"longhorn"),
        (120, "<B", 12),
        (121, "<B", log),
        (122, "<B", 9),
        (123, "<B", 3),
        (124, "<B", (group - 1).bit_length()),
        (127, "<B", 25),
        (128, ">Q", 64),
        (136, ">Q", 61),
        (144, ">Q", blocks // 2),
        (180, ">I", 8),
        (200, ">I", 0x18A),
        (204, ">I", 0x18A),
        (212, ">I", 5),
        (216, ">I", 3),
        (228, ">I", 4),
    )
    struct.pack_into("<I", block, 224, crc32c(bytes(block)) ^ 0xFFFFFFFF)
    return {number * group * 4 * KIB: bytes(block) for number in range(4)}


def btrfs(size: int, sector: int) -> dict[int, bytes]:
    """btrfs: superblocks at 64 KiB, 64 MiB and 256 GiB; fs/btrfs/disk-io.h and include/uapi/linux/btrfs_tree.h."""
    del sector
    written = {}
    for place in (64 * KIB, 64 * MIB, 256 * GIB):
        if place + 4 * KIB > size:
            continue
        block = fields(
            4 * KIB,
            (32, "16s", UUID),
            (48, "<Q", place),
            (56, "<Q", 1),
            (64, "8s", b"_BHRfS_M"),
            (72, "<Q", 7),
            (80, "<Q", 30 * MIB),
            (88, "<Q", 22 * MIB),
            (112, "<Q", size),
            (120, "<Q", 192 * KIB),
            (128, "<Q", 6),
            (136, "<Q", 1),
            (144, "<I", 4 * KIB),
            (148, "<I", 16 * KIB),
            (152, "<I", 16 * KIB),
            (156, "<I", 4 * KIB),
            (188, "<Q", 0x361),
            (201, "<Q", 1),
            (209, "<Q", size),
            (267, "16s", UUID[::-1]),
            (283, "16s", UUID),
            (299, "8s", b"longhorn"),
        )
        struct.pack_into("<I", block, 0, crc32c(bytes(block[32:])) ^ 0xFFFFFFFF)
        written[place] = bytes(block)
    return written


def reiserfs(size: int, sector: int) -> dict[int, bytes]:
    """ReiserFS 3.6: superblock at 64 KiB; fs/reiserfs/reiserfs.h, `struct reiserfs_super_block`."""
    del sector
    block = fields(
        4 * KIB,
        (0, "<I", size // (4 * KIB) & 0xFFFFFFFF),
        (8, "<I", 8211),
        (12, "<I", 18),
        (20, "<I", 8192),
        (44, "<H", 4 * KIB),
        (50, "<H", 1),
        (52, "10s", b"ReIsEr2Fs"),
        (84, "16s", UUID),
        (100, "16s", b"old"),
    )
    return {64 * KIB: bytes(block)}


def jfs(size: int, sector: int) -> dict[int, bytes]:
    """JFS: superblocks at 32 KiB and 60 KiB; fs/jfs/jfs_superblock.h and jfs_filsys.h (`SUPER1_OFF`, `SUPER2_OFF`)."""
    del sector
    block = bytes(
        fields(
            4 * KIB,
            (0, "4s", b"JFS1"),
            (4, "<I", 2),
            (8, "<Q", size // 512),
            (16, "<I", 4 * KIB),
            (20, "<H", 12),
            (22, "<H", 3),
            (24, "<I", 512),
            (28, "<H", 9),
            (32, "<I", 8192),
            (36, "<I", 0x10200900),
            (136, "16s", UUID),
            (152, "16s", b"old"),
        )
    )
    return {32 * KIB: block, 60 * KIB: block}


def nilfs2(size: int, sector: int) -> dict[int, bytes]:
    """NILFS2: superblocks at 1 KiB and in the last whole 4 KiB; include/uapi/linux/nilfs2_ondisk.h, `struct nilfs_super_block`."""
    del sector
    seed = 0x12345678
    block = fields(
        KIB,
        (0, "<I", 2),
        (6, "<H", 0x3434),
        (8, "<H", 280),
        (12, "<I", seed),
        (20, "<I", 2),
        (24, "<Q", size // (8 * MIB)),
        (32, "<Q", size),
        (40, "<Q", 1),
        (48, "<I", 2048),
        (52, "<I", 5),
        (56, "<Q", 1),
        (88, "<Q", 1_700_000_000),
        (116, "<H", 1),
        (140, "<I", 11),
        (144, "<H", 128),
        (152, "16s", UUID),
        (168, "16s", b"old"),
    )
    struct.pack_into("<I", block, 16, crc32_raw(bytes(block[:280]), seed))
    return {KIB: bytes(block), (size // 512 - 8) * 512: bytes(block)}


def f2fs(size: int, sector: int) -> dict[int, bytes]:
    """F2FS: superblocks at 1 KiB and 5 KiB; include/linux/f2fs_fs.h, `struct f2fs_super_block`."""
    segments = size // (2 * MIB) - 1
    areas = [2, 2 * -(-segments // (55 * 512)), 2 * -(-segments * 512 // (455 * 512)), -(-segments // 512)]
    starts = [512 * (1 + sum(areas[:number])) for number in range(5)]
    log = 9 if sector == 512 else 12
    block = fields(
        3 * KIB,
        (0, "<I", 0xF2F52010),
        (4, "<H", 1),
        (6, "<H", 16),
        (8, "<I", log),
        (12, "<I", 12 - log),
        (16, "<I", 12),
        (20, "<I", 9),
        (24, "<I", 1),
        (28, "<I", 1),
        (36, "<Q", size // (4 * KIB)),
        (44, "<I", segments),
        (48, "<I", segments),
        (72, "<I", 512),
        (96, "<I", 3),
        (100, "<I", 1),
        (104, "<I", 2),
        (108, "16s", UUID),
        (124, "16s", "card".encode("utf-16-le")),
    )
    struct.pack_into("<5I", block, 52, *areas, segments - sum(areas))
    struct.pack_into("<5I", block, 76, *starts)
    return {KIB: bytes(block), 5 * KIB: bytes(block)}


def swap(size: int, sector: int) -> dict[int, bytes]:
    """Linux swap for pages of 4 KiB: header at 1 KiB, magic at the page's end; include/linux/swap.h, `union swap_header`."""
    del sector
    return {
        KIB: bytes(fields(36, (0, "<I", 1), (4, "<I", size // (4 * KIB) - 1 & 0xFFFFFFFF), (12, "16s", UUID))),
        4 * KIB - 10: b"SWAPSPACE2",
    }


def squashfs(size: int, sector: int) -> dict[int, bytes]:
    """SquashFS 4.0 written raw, as images of appliances are; fs/squashfs/squashfs_fs.h, `struct squashfs_super_block`."""
    del size, sector
    values = (0x73717368, 3, 1_700_000_000, 128 * KIB, 1, 1, 17, 0xC0, 1, 4, 0, 0x20, 4096, 3000, 2**64 - 1, 2000, 2500, 2700, 2900)
    return {0: struct.pack("<5I6H8Q", *values).ljust(4 * KIB, b"\x5a")}
