"""The partition table that a prepared disk carries: GPT, one partition, aligned to 1 MiB.

Written here and not by a tool because its bytes then follow from the disk's serial alone. A table torn by a power cut
is recognised (every sector is zero or one of ours), finished, and never mistaken for somebody else's; a cloned disk
carries the identifiers of another serial and is not taken for ours.
"""

from __future__ import annotations

import struct
import uuid
import zlib
from typing import Dict, Set, Tuple

from fluxstead.hosts.script.model import MIB

LINUX_DATA = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
OURS = uuid.UUID("5d0c4a0e-0d0b-5b1c-9a55-f1a57ead0001")
"""Namespace of the identifiers that this script gives."""
ENTRIES = 128
ENTRY = 128
PREPARING = "fluxstead-preparing"
"""Name of the partition until its filesystem is whole; only then may it be formatted (again)."""
READY = "fluxstead"
"""Name of the partition from then on; it is never formatted again."""


def disk_guid(serial: str) -> str:
    """Identifier of the table on the disk with this serial."""
    return str(uuid.uuid5(OURS, "disk/" + serial))


def partition_guid(serial: str) -> str:
    """Identifier of the partition on the disk with this serial: the mark by which it is ours."""
    return str(uuid.uuid5(OURS, "partition/" + serial))


def table(serial: str, size: int, sector: int, name: str) -> Dict[int, bytes]:
    """The table's bytes by offset: the first MiB, and the backup at the end."""
    last = size // sector - 1
    array_sectors = ENTRIES * ENTRY // sector
    start, end = MIB // sector, (size // MIB - 1) * MIB // sector - 1
    entry = struct.pack(
        "<16s16sQQQ72s",
        LINUX_DATA.bytes_le,
        uuid.UUID(partition_guid(serial)).bytes_le,
        start,
        end,
        0,
        name.encode("utf-16-le"),
    )
    array = entry.ljust(ENTRIES * ENTRY, b"\0")

    def header(here: int, other: int, array_at: int) -> bytes:
        guid = uuid.UUID(disk_guid(serial)).bytes_le
        places = (here, other, 2 + array_sectors, last - array_sectors - 1)
        fields = (*places, guid, array_at, ENTRIES, ENTRY, zlib.crc32(array))
        bare = struct.pack("<8sIIII4Q16sQIII", b"EFI PART", 0x10000, 92, 0, 0, *fields)
        return (bare[:16] + struct.pack("<I", zlib.crc32(bare)) + bare[20:]).ljust(sector, b"\0")

    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, min(last, 0xFFFFFFFF))
    mbr = (b"\0" * 446 + protective).ljust(510, b"\0") + b"\x55\xaa"
    first = mbr.ljust(sector, b"\0") + header(1, last, 2) + array
    backup_at = (last - array_sectors) * sector
    return {0: first.ljust(MIB, b"\0"), backup_at: array + header(last, 1, last - array_sectors)}


def edges(serial: str, size: int, sector: int, first: bytes, last: bytes) -> Tuple[str, str, bool]:
    """What the first and the last MiB are: zero | table | other; the partition's name there; whether it is whole."""
    if not any(first) and not any(last):
        return "zero", "", False
    if not serial or size < 16 * MIB:
        return "other", "", False
    expected = []
    for name in (PREPARING, READY):
        images = table(serial, size, sector, name)
        expected.append((name, images[0] + images[max(images)].rjust(MIB, b"\0")))
    found = first + last
    seen: Set[str] = set()
    for at in range(0, len(found), sector):
        piece = found[at : at + sector]
        names = [name for name, image in expected if image[at : at + sector] == piece]
        if any(piece) and not names:
            return "other", "", False
        seen.update(names if len(names) == 1 else ())
    # A protective MBR alone is anybody's; the backup, written first, says whose table it is, and of which kind.
    if not seen:
        return "other", "", False
    name = READY if READY in seen else PREPARING
    return "table", name, found == dict(expected)[name]


def parse(first: bytes, sector: int) -> Dict[int, Tuple[str, str]]:
    """Number of each partition to its (identifier, name), out of a table's first MiB; empty when there is none."""
    found: Dict[int, Tuple[str, str]] = {}
    if first[sector : sector + 8] != b"EFI PART":
        return found
    array_at, count, length = struct.unpack_from("<QII", first, sector + 72)
    for number in range(min(count, 256)):
        at = array_at * sector + number * length
        if length < ENTRY or at + ENTRY > len(first):
            break
        kind, guid, _, _, _, name = struct.unpack_from("<16s16sQQQ72s", first, at)
        if any(kind):
            text = name.decode("utf-16-le", "replace").split("\0")[0]
            found[number + 1] = (str(uuid.UUID(bytes_le=guid)), text)
    return found
