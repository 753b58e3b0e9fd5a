"""What ext2, ext3, ext4 and XFS keep of their last change and of whether they were ever mounted, out of their raw bytes.

Offsets are those of struct ext2_super_block (e2fsprogs: lib/ext2fs/ext2_fs.h), struct xfs_dsb (xfsprogs: libxfs/xfs_format.h) and
struct xlog_rec_header (xfsprogs: libxfs/xfs_log_format.h).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Optional, Tuple

from fluxstead.hosts.script.medium import Medium

EXT_SUPERBLOCK = 1024
EXT_MAGIC = 0xEF53
EXT_NEEDS_RECOVERY = 0x4
XFS_MAGIC = b"XFSB"
XLOG_MAGIC = 0xFEEDBABE
XLOG_UNMOUNT = 0x20
LOG_BLOCK = 512
LOG_HEADER_CYCLES = 32 * 1024
RECENT = 64 * 1024
"""Bytes of a log before its head that stand for what was logged last."""


@dataclass(frozen=True)
class Kept:
    """What a filesystem says of its own past."""

    never_mounted: bool
    """It is as mkfs left it: nobody can have put a file into it through a kernel."""
    dirty: bool
    """Its journal holds changes that a mount would bring in, so what is read without one is not all."""
    log: Optional[Tuple[int, int]] = None
    """Where on the device its last log records lie; None where the superblock itself changes with every mount."""


def kept(medium: Medium, offset: int) -> Optional[Kept]:
    """What the filesystem that begins at this offset says; None where there is none that does."""
    first = medium.read(offset, 2 * EXT_SUPERBLOCK)
    if first[:4] == XFS_MAGIC:
        return _xfs(medium, offset, first)
    if len(first) == 2 * EXT_SUPERBLOCK and struct.unpack_from("<H", first, EXT_SUPERBLOCK + 56)[0] == EXT_MAGIC:
        return _ext(first[EXT_SUPERBLOCK:])
    return None


def _ext(superblock: bytes) -> Kept:
    mounted, _, count = struct.unpack_from("<IIH", superblock, 44)
    recovery = struct.unpack_from("<I", superblock, 96)[0] & EXT_NEEDS_RECOVERY
    return Kept(not mounted and not count, bool(recovery))


def _xfs(medium: Medium, offset: int, superblock: bytes) -> Optional[Kept]:
    block = struct.unpack_from(">I", superblock, 4)[0]
    log_start, group_blocks, log_blocks = struct.unpack_from(">Q28xI8xI", superblock, 48)
    unfinished, group_shift = superblock[126], superblock[124]
    if unfinished:
        return Kept(never_mounted=True, dirty=False)
    if not (log_start and log_blocks and block and group_blocks):
        # An external log: what was done last is not told on this device.
        return None
    group, rest = log_start >> group_shift, log_start & ((1 << group_shift) - 1)
    log = offset + (group * group_blocks + rest) * block
    count = log_blocks * block // LOG_BLOCK
    head = _head(medium, log, count)
    recent = (log + max(0, head * LOG_BLOCK - RECENT), log + head * LOG_BLOCK + LOG_BLOCK)
    return Kept(_as_made(medium, log, head), not _told_unmounted(medium, log, head), recent)


def _cycle(medium: Medium, log: int, number: int) -> int:
    """The number of the log's round in which this block was written; a record's header keeps it behind its magic."""
    block = medium.read(log + number * LOG_BLOCK, 8)
    first, second = struct.unpack(">II", block) if len(block) == 8 else (0, 0)
    return int(second if first == XLOG_MAGIC else first)


def _head(medium: Medium, log: int, count: int) -> int:
    """Number of the first block that this round has not written yet."""
    first = _cycle(medium, log, 0)
    low, high = 0, count
    while low + 1 < high:
        middle = (low + high) // 2
        if _cycle(medium, log, middle) == first:
            low = middle
        else:
            high = middle
    return high % count


def _as_made(medium: Medium, log: int, head: int) -> bool:
    """mkfs.xfs leaves one record of the first round, at the log's begin."""
    return _cycle(medium, log, 0) == 1 and 0 < head * LOG_BLOCK <= RECENT and _record(medium, log, head)[0] == 0


def _record(medium: Medium, log: int, head: int) -> Tuple[int, bytes]:
    """(number of its header's block, its bytes) of the last record before the head; (-1, nothing) where none is near."""
    begin = max(0, head * LOG_BLOCK - RECENT)
    data = medium.read(log + begin, head * LOG_BLOCK - begin)
    for at in range(len(data) - LOG_BLOCK, -1, -LOG_BLOCK):
        if struct.unpack_from(">I", data, at)[0] == XLOG_MAGIC:
            return (begin + at) // LOG_BLOCK, data[at:]
    return -1, b""


def _told_unmounted(medium: Medium, log: int, head: int) -> bool:
    """The last record says that it was unmounted, and so that nothing is left to be replayed."""
    _, record = _record(medium, log, head)
    if not record:
        return False
    operations, size = struct.unpack_from(">I276xI", record, 40)
    at = LOG_BLOCK * max(1, -(-size // LOG_HEADER_CYCLES))
    return bool(operations == 1 and len(record) > at + 9 and record[at + 9] & XLOG_UNMOUNT)
