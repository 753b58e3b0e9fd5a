"""What tells a superblock, a table or a label: magic bytes, where they stand in it, and what else has to fit.

Written from the formats' specifications and headers; the choice follows TestDisk and libblkid.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

Sound = Callable[[bytes], bool]


@dataclass(frozen=True)
class Signature:
    """One kind of structure."""

    kind: str
    magic: bytes
    at: int = 0
    """Where the magic stands in the structure, in bytes."""
    sound: Sound | None = None
    """Whether the first bytes of the structure (8 KiB, or what is left of the disk) fit what the magic says."""


def _number(form: str, block: bytes, place: int) -> int:
    length = struct.calcsize(form)
    return int(struct.unpack(form, block[place : place + length].ljust(length, b"\0"))[0])


def _between(form: str, place: int, least: int, most: int) -> Sound:
    return lambda block: least <= _number(form, block, place) <= most


def _all(*checks: Sound) -> Sound:
    return lambda block: all(check(block) for check in checks)


def _partitions(block: bytes) -> bool:
    entries = [block[446 + 16 * number : 462 + 16 * number] for number in range(4)]
    used = [entry for entry in entries if len(entry) == 16 and entry[4] and any(entry[12:16])]
    return bool(used) and all(entry[0] in (0, 0x80) for entry in entries)


def _fat(block: bytes) -> bool:
    sector, cluster, copies = _number("<H", block, 11), block[13], block[16]
    return sector in (512, 1024, 2048, 4096) and cluster.bit_count() == 1 and copies in (1, 2)


def _postgresql(block: bytes) -> bool:
    lower, upper, special = struct.unpack_from("<3H", block, 12)
    return bool(24 <= lower <= upper <= special <= 8192 and special > 8000)


def _sun(block: bytes) -> bool:
    total = 0
    for (word,) in struct.iter_unpack(">H", block[:512]):
        total ^= word
    return total == 0 and any(block[:508])


EXT4 = _all(
    _between("<I", 0, 1, 2**32),
    _between("<I", 4, 1, 2**32),
    _between("<I", 24, 0, 6),
    _between("<H", 58, 0, 7),
    _between("<I", 76, 0, 1),
)
XFS = _all(_between(">I", 4, 512, 65536), _between(">H", 102, 512, 32768))
HFSPLUS = _all(_between(">H", 2, 4, 5), _between(">I", 40, 512, 1 << 20))
UBERBLOCK = _between("<Q", 8, 1, 5000)
SWAP_PAGES = (4096, 8192)

SIGNATURES = (
    # Filesystems
    Signature("ext4", b"\x53\xef", 56, EXT4),
    Signature("ext4", b"\xc0\x3b\x39\x98\0\0\0", 0),  # jbd2, the journal: big-endian block type after the magic
    Signature("XFS", b"XFSB", 0, XFS),
    Signature("XFS", b"XAGF\0\0\0\x01"),
    Signature("XFS", b"XAGI\0\0\0\x01"),
    Signature("btrfs", b"_BHRfS_M", 64),
    Signature("ReiserFS", b"ReIsEr", 52),
    Signature("JFS", b"JFS1", 0, _between("<I", 4, 1, 2)),
    Signature("NILFS2", b"\x34\x34", 6, _all(_between("<I", 0, 2, 2), _between("<H", 8, 200, 1024), _between("<I", 20, 0, 6))),
    Signature("F2FS", b"\x10\x20\xf5\xf2", 0, _between("<H", 4, 1, 1)),
    *(Signature("swap", magic, page - 10) for magic in (b"SWAPSPACE2", b"SWAP-SPACE", b"S1SUSPEND") for page in SWAP_PAGES),
    Signature("SquashFS", b"hsqs", 0, _between("<H", 28, 4, 4)),
    Signature("UFS", b"\x19\x01\x54\x19", 1372),
    Signature("GFS2", b"\x01\x16\x19\x70\0\0\0\x01"),
    Signature("OCFS2", b"OCFSV2"),
    Signature("EROFS", b"\xe2\xe1\xf5\xe0"),
    Signature("NTFS", b"NTFS    ", 3, _between("<H", 510, 0xAA55, 0xAA55)),
    Signature("NTFS", b"FILE", 0, _between("<H", 4, 42, 48)),
    Signature("ReFS", b"ReFS\0\0\0\0", 3),
    Signature("exFAT", b"EXFAT   ", 3, _between("<H", 510, 0xAA55, 0xAA55)),
    Signature("FAT", b"\x55\xaa", 510, _fat),
    Signature("HFS+", b"H+", 0, HFSPLUS),
    Signature("HFS+", b"HX", 0, HFSPLUS),
    Signature("APFS", b"NXSB", 32, _between("<I", 36, 4096, 65536)),
    Signature("APFS", b"APSB", 32),
    Signature("ISO 9660", b"CD001", 1),
    Signature("UDF", b"NSR0", 1),
    # Encryption
    Signature("LUKS", b"LUKS\xba\xbe", 0, _between(">H", 6, 1, 2)),
    Signature("LUKS", b"SKUL\xba\xbe", 0, _between(">H", 6, 2, 2)),
    Signature("BitLocker", b"-FVE-FS-", 3),
    Signature("BitLocker", b"-FVE-FS-", 0),
    Signature("dm-integrity", b"integrt\0"),
    Signature("dm-verity", b"verity\0\0"),
    # RAID
    Signature("Linux RAID", b"\xfc\x4e\x2b\xa9", 0, _between("<I", 4, 0, 1)),
    Signature("Linux RAID", b"\xa9\x2b\x4e\xfc", 0, _between(">I", 4, 0, 1)),
    Signature("Linux RAID", b"bitm", 0, _between("<I", 4, 3, 5)),
    Signature("Intel RAID", b"Intel Raid ISM Cfg Sig. "),
    Signature("Promise RAID", b"Promise Technology, Inc."),
    Signature("DDF RAID", b"\xde\x11\xde\x11"),
    Signature("DRBD", b"\x83\x74\x02\x6b", 60, _between(">I", 80, 4096, 4096)),
    Signature("DRBD", b"\x83\x74\x02\x6d", 60, _between(">I", 80, 4096, 4096)),
    # Pools, caches, groups
    Signature("ZFS", b"\x0c\xb1\xba\0\0\0\0\0", 0, UBERBLOCK),
    Signature("ZFS", b"\0\0\0\0\0\xba\xb1\x0c"),
    Signature("ZFS", b"\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\0\0"),
    Signature("bcache", bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81"), 24),
    Signature("bcachefs", bytes.fromhex("c68573f666ce90a9d96a60cf803df7ef"), 24),
    Signature("bcachefs", bytes.fromhex("c68573f666ce90a9d96a60cf803df7ef"), 0),
    Signature("LVM2", b"LABELONE", 0, lambda block: block[24:32] == b"LVM2 001"),
    Signature("LVM2", b" LVM2 x[5A%r0N*>", 4),
    Signature("Ceph BlueStore", b"bluestore block device"),
    Signature("VMFS", b"\x0d\xd0\x01\xc0", 0, _between("<I", 4, 1, 16)),
    Signature("VMFS", b"\x5e\xf1\xab\x2f", 0, _between("<I", 4, 1, 64)),
    Signature("VDO", b"dmvdo001"),
    Signature("Stratis", b"!Stra0tis\x86\xff\x02^\x41rh", 4),
    Signature("LDM", b"PRIVHEAD"),
    Signature("LDM", b"TOCBLOCK"),
    Signature("LDM", b"VMDB\0"),
    # Tables
    Signature("MBR", b"\x55\xaa", 510, _partitions),
    Signature("GPT", b"EFI PART", 0, _between("<I", 12, 92, 4096)),
    Signature("Apple partition map", b"PM\0\0", 0, _between(">I", 4, 1, 256)),
    Signature("Sun disk label", b"\xda\xbe", 508, _sun),
    *(
        Signature("BSD disk label", b"\x57\x45\x56\x82", at, _between("<I", at + 132, 0x82564557, 0x82564557))
        for at in (0, 64, 128)
    ),
    # Images, databases, archives
    Signature("PostgreSQL", b"\x04\x20", 18, _postgresql),
    Signature("SQLite", b"SQLite format 3\0"),
    Signature("qcow2", b"QFI\xfb", 0, _between(">I", 4, 1, 3)),
    Signature("VMDK", b"KDMV", 0, _between("<I", 4, 1, 3)),
    Signature("VHD", b"conectix"),
    Signature("VHDX", b"vhdxfile"),
    Signature("VDI", b"\x7f\x10\xda\xbe", 64),
    Signature("tar", b"ustar", 257),
    Signature("xz", b"\xfd7zXZ\0"),
    Signature("zip", b"PK\x03\x04", 0, _between("<H", 4, 10, 63)),
)
