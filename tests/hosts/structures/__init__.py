"""What foreign disks look like, written by hand from public specifications and headers.

Nothing here may be derived from the code that looks at disks: it is what that code is measured against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import encrypted, filesystems, foreign, pools, raid, raw, tables
from .checksums import MIB

__all__ = ["STRUCTURES", "Structure", "shifted"]

Make = Callable[[int, int], dict[int, bytes]]


@dataclass(frozen=True)
class Structure:
    """One kind of content: how it is written, and what others call it."""

    make: Make
    """(size of the device, bytes of a logical sector) → offset on the device → bytes."""
    found: str
    """What a search for superblocks, tables and labels calls it; empty where nothing tells what it is."""
    blkid: str = ""
    """The TYPE or PTTYPE that libblkid gives it; empty where libblkid knows no such thing."""
    smallest: int = 16 * MIB
    """The smallest device that it is for, in bytes."""
    sectors: tuple[int, ...] = (512, 4096)
    """The logical sectors with which a tool that reads a plain file, and so assumes 512 bytes, can be asked."""

    @property
    def name(self) -> str:
        """The function's name."""
        return self.make.__name__


def shifted(make: Make, size: int, sector: int, start: int, end: int = 0) -> dict[int, bytes]:
    """What `make` writes into a partition from `start` to `end` (bytes; `end` 0: the end of the device)."""
    return {start + place: data for place, data in make((end or size) - start, sector).items()}


STRUCTURES: tuple[Structure, ...] = (
    Structure(filesystems.ext4, "ext4", "ext4"),
    Structure(filesystems.xfs, "XFS", "xfs"),
    Structure(filesystems.btrfs, "btrfs", "btrfs"),
    Structure(filesystems.reiserfs, "ReiserFS", "reiserfs", 64 * MIB),
    Structure(filesystems.jfs, "JFS", "jfs", 32 * MIB),
    Structure(filesystems.nilfs2, "NILFS2", "nilfs2", 128 * MIB),
    Structure(filesystems.f2fs, "F2FS", "f2fs", 64 * MIB),
    Structure(filesystems.swap, "swap", "swap"),
    Structure(filesystems.squashfs, "SquashFS", "squashfs"),
    Structure(foreign.ntfs, "NTFS", "ntfs"),
    Structure(foreign.exfat, "exFAT", "exfat"),
    Structure(foreign.hfsplus, "HFS+", "hfsplus"),
    Structure(foreign.apfs, "APFS", "apfs"),
    Structure(foreign.bitlocker, "BitLocker", "BitLocker", 64 * MIB),
    Structure(foreign.iso9660_hybrid, "ISO 9660", "iso9660", 128 * MIB),
    Structure(encrypted.luks1, "LUKS", "crypto_LUKS"),
    Structure(encrypted.luks2, "LUKS", "crypto_LUKS", 32 * MIB),
    Structure(encrypted.luks2_second_header_only, "LUKS", "crypto_LUKS", 32 * MIB),
    Structure(encrypted.luks_detached_header, ""),
    Structure(encrypted.image_in_the_middle, ""),
    Structure(raid.md_0_90, "Linux RAID", "linux_raid_member"),
    Structure(raid.md_1_0, "Linux RAID", "linux_raid_member"),
    Structure(raid.md_1_1, "Linux RAID", "linux_raid_member"),
    Structure(raid.md_1_2, "Linux RAID", "linux_raid_member"),
    Structure(raid.md_1_2_with_bitmap, "Linux RAID", "linux_raid_member"),
    Structure(raid.md_superblock_zeroed, "ext4"),
    Structure(raid.imsm, "Intel RAID", "isw_raid_member", sectors=(512,)),
    Structure(raid.promise, "Promise RAID", "promise_fasttrack_raid_member"),
    Structure(raid.ddf, "DDF RAID", "ddf_raid_member", sectors=(512,)),
    Structure(raid.drbd, "DRBD", "drbd"),
    Structure(pools.zfs, "ZFS", "zfs_member", 64 * MIB),
    Structure(pools.bcache, "bcache", "bcache"),
    Structure(pools.bcachefs, "bcachefs", "bcachefs", 32 * MIB),
    Structure(pools.lvm2, "LVM2", "LVM2_member"),
    Structure(pools.bluestore, "Ceph BlueStore", "ceph_bluestore"),
    Structure(pools.vmfs, "VMFS", "VMFS_volume_member"),
    Structure(pools.vmfs_filesystem, "VMFS", "VMFS"),
    Structure(pools.ldm, "LDM", "dos"),
    Structure(tables.mbr_at_63, "MBR", "dos", sectors=(512,)),
    Structure(tables.mbr_extended, "MBR", "dos", sectors=(512,)),
    Structure(tables.protective_mbr, "MBR", "PMBR"),
    Structure(tables.gpt, "GPT", "gpt", sectors=(512,)),
    Structure(tables.gpt_primary_only, "GPT", "gpt", sectors=(512,)),
    Structure(tables.gpt_backup_only, "GPT", "gpt", sectors=(512,)),
    Structure(tables.apple_partition_map, "Apple partition map", "mac"),
    Structure(tables.sun_disklabel, "Sun disk label", "sun"),
    Structure(tables.bsd_disklabel, "BSD disk label"),
    Structure(raw.postgresql, "PostgreSQL"),
    Structure(raw.sqlite, "SQLite"),
    Structure(raw.qcow2, "qcow2"),
    Structure(raw.vmdk, "VMDK"),
    Structure(raw.vhd, "VHD"),
    Structure(raw.tar, "tar"),
    Structure(raw.compressed_image, "xz"),
)
