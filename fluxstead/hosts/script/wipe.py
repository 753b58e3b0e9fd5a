"""Content told by a digest, and the wipe that an operator consented to.

A wipe zeroes the first and last MiB of the disk and of each partition, and every place with a signature. Before the
first write, a record on the host says which blocks go and what they held. After a kill or a power cut, the wipe goes
on only if each of those blocks is either zero or what it was, and the samples of all the rest are as they were:
anything else means that somebody has used the disk since, and it is refused again.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import BinaryIO, Dict, List, Sequence, Set

from fluxstead.hosts.script.model import MIB, Disk, Volume, short_hash

RECORDS = "/var/lib/fluxstead"
BLOCK = 4096
SAMPLES = 256
"""Blocks that stand for a device whose content cannot be listed: spread evenly, 1 MiB in all."""
DIGEST_LENGTH = 24


def content_digest(disk: Disk) -> str:
    """What a consent names: partitions, signatures, and the files or, where those cannot be listed, samples."""
    told: List[object] = [disk.serial, disk.size]
    for volume in disk.volumes:
        if volume.kind == "stacked":
            continue
        marks = [[each.type, each.offset, each.uuid, each.label] for each in volume.signatures]
        listed = volume.look.digest if volume.look and not volume.look.problem else ""
        told.append([volume.offset, volume.size, volume.partition_guid, marks, listed or _raw(disk, volume)])
    return short_hash(json.dumps(told), DIGEST_LENGTH)


def _raw(disk: Disk, volume: Volume) -> str:
    """Samples of a device; of a disk that has partitions, what lies before the first one."""
    size = min((part.offset for part in disk.partitions), default=volume.size) if volume.kind == "disk" else volume.size
    edges = [*range(0, min(size, MIB), BLOCK), *range(max(0, size - MIB), size, BLOCK)]
    spread = range(0, size, max(BLOCK, size // SAMPLES // BLOCK * BLOCK))
    told = hashlib.sha256()
    with open(disk.path, "rb") as device:
        for at in sorted({*edges, *spread}):
            device.seek(volume.offset + at)
            told.update(device.read(min(BLOCK, size - at)))
    return told.hexdigest()


def doomed_blocks(disk: Disk) -> List[int]:
    """Numbers of the blocks that a wipe zeroes."""
    blocks: Set[int] = set()

    def add(start: int, end: int) -> None:
        blocks.update(range(max(0, start) // BLOCK, -(-min(end, disk.size) // BLOCK)))

    for volume in disk.volumes:
        if volume.kind == "stacked":
            continue
        end = volume.offset + volume.size
        add(volume.offset, min(volume.offset + 2 * MIB, end))
        add(max(end - MIB, volume.offset), end)
        for signature in volume.signatures:
            add(volume.offset + signature.offset, volume.offset + signature.offset + BLOCK)
    return sorted(blocks)


def _record_path(disk: Disk) -> str:
    return os.path.join(RECORDS, f"wipe-{short_hash(disk.serial, 16)}.json")


def _block(device: BinaryIO, number: int, size: int) -> bytes:
    device.seek(number * BLOCK)
    return device.read(min(BLOCK, size - number * BLOCK))


def _hash(block: bytes) -> str:
    return hashlib.sha256(block).hexdigest()[:16] if any(block) else ""


def _rest(device: BinaryIO, size: int, doomed: Set[int]) -> str:
    """Samples of all that a wipe leaves alone."""
    told = hashlib.sha256()
    count = size // BLOCK
    for number in range(0, count, max(1, count // SAMPLES)):
        if number not in doomed:
            told.update(_block(device, number, size))
    return told.hexdigest()


def half_wiped(disk: Disk) -> str:
    """The consent of an interrupted wipe of this disk, if nothing but that wipe has changed it since."""
    try:
        with open(_record_path(disk), encoding="utf-8") as file:
            record = json.load(file)
    except (FileNotFoundError, ValueError):
        return ""
    before: Dict[str, str] = record["before"]
    with open(disk.path, "rb") as device:
        for number, told in before.items():
            if _hash(_block(device, int(number), disk.size)) not in ("", told):
                return ""
        unchanged = record["size"] == disk.size and record["rest"] == _rest(device, disk.size, set(map(int, before)))
    return str(record["consent"]) if unchanged else ""


def wipe(disk: Disk, consent: str, blocks: Sequence[int]) -> None:
    """Zeroes these blocks, once a record of what they held is safe."""
    path = _record_path(disk)
    before: Dict[str, str] = {}
    if half_wiped(disk) == consent:
        with open(path, encoding="utf-8") as file:
            before = json.load(file)["before"]
    with open(disk.path, "rb") as device:
        for number in blocks:
            before.setdefault(str(number), _hash(_block(device, number, disk.size)))
        rest = _rest(device, disk.size, set(map(int, before)))
    os.makedirs(RECORDS, mode=0o700, exist_ok=True)
    write_safely(path, json.dumps({"consent": consent, "size": disk.size, "rest": rest, "before": before}), 0o600)
    write_blocks(disk.path, {number * BLOCK: b"\0" * min(BLOCK, disk.size - number * BLOCK) for number in blocks})


def forget_wipe(disk: Disk) -> None:
    """Removes the record of a wipe that is done."""
    if os.path.exists(_record_path(disk)):
        os.unlink(_record_path(disk))


def write_blocks(path: str, pieces: Dict[int, bytes]) -> None:
    """Writes bytes at places of a device, the highest place first, each safe before the next MiB begins."""
    device = os.open(path, os.O_WRONLY)
    try:
        written = 0
        for at in sorted(pieces, reverse=True):
            os.pwrite(device, pieces[at], at)
            written += len(pieces[at])
            if written >= MIB:
                os.fsync(device)
                written = 0
        os.fsync(device)
    finally:
        os.close(device)


def write_safely(path: str, text: str, mode: int) -> None:
    """A file replaced whole or not at all, and on the disk when this returns."""
    temporary = f"{path}.fluxstead"
    with open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
