"""The wipe that an operator consented to.

A wipe zeroes whatever is not zero in the places that are looked at: the disk is blank then, and no old superblock comes to light
behind a new table. Before the first write, a record on the host says which blocks go and what they held. After a kill or a power
cut, the wipe goes on only if each of those blocks is either zero or what it was, and all the other places are as they were:
anything else means that somebody has used the disk since, and it is refused again.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Dict, Iterable, Iterator, Set, Tuple

from fluxstead.hosts.script.evidence import Span, places
from fluxstead.hosts.script.files import RECORDS, write_safely
from fluxstead.hosts.script.medium import ALIGNED, Medium
from fluxstead.hosts.script.model import MIB, FoundDisk, short_hash


def _record_path(disk: FoundDisk) -> str:
    return os.path.join(RECORDS, f"wipe-{short_hash(disk.serial, 16)}.json")


def _blocks(medium: Medium, spans: Iterable[Span]) -> Iterator[Tuple[int, bytes]]:
    """Offset and bytes of every block of these places."""
    for start, end in spans:
        for at in range(start, end, MIB):
            data = medium.read(at, min(MIB, end - at))
            yield from ((at + begin, data[begin : begin + ALIGNED]) for begin in range(0, len(data), ALIGNED))


def _hash(block: bytes) -> str:
    return hashlib.sha256(block).hexdigest()[:16] if block.count(0) != len(block) else ""


def _rest(medium: Medium, size: int, doomed: Set[int]) -> str:
    """All that is looked at of a disk and that a wipe leaves alone."""
    told = hashlib.sha256()
    for at, block in _blocks(medium, places(size)):
        if at not in doomed:
            told.update(block)
    return told.hexdigest()


def half_wiped(disk: FoundDisk) -> str:
    """The consent of an interrupted wipe of this disk, if nothing but that wipe has changed it since."""
    try:
        with open(_record_path(disk), encoding="utf-8") as file:
            record = json.load(file)
    except (FileNotFoundError, ValueError):
        return ""
    before: Dict[str, str] = record["before"]
    with Medium(disk.path) as medium:
        for at, told in before.items():
            if _hash(medium.read(int(at), ALIGNED)) not in ("", told):
                return ""
        same = record["size"] == disk.size and record["rest"] == _rest(medium, disk.size, set(map(int, before)))
    return str(record["consent"]) if same else ""


def wipe(disk: FoundDisk, consent: str, spans: Iterable[Span]) -> None:
    """Zeroes what is not zero in these places, once a record of what they held is safe."""
    path = _record_path(disk)
    before: Dict[str, str] = {}
    if half_wiped(disk) == consent:
        with open(path, encoding="utf-8") as file:
            before = json.load(file)["before"]
    zeroes: Dict[int, bytes] = {}
    with Medium(disk.path) as medium:
        for at, block in _blocks(medium, spans):
            told = _hash(block)
            if told:
                before.setdefault(str(at), told)
                zeroes[at] = bytes(len(block))
        rest = _rest(medium, disk.size, set(map(int, before)))
    os.makedirs(RECORDS, mode=0o700, exist_ok=True)
    write_safely(path, json.dumps({"consent": consent, "size": disk.size, "rest": rest, "before": before}), 0o600)
    write_blocks(disk.path, zeroes)


def forget_wipe(disk: FoundDisk) -> None:
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
