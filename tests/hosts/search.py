"""A search like TestDisk's and PhotoRec's: everything that a recovery tool would still find on a disk.

It looks at every sector of 512 bytes that a sparse file has blocks for, and knows nothing of the code that it judges.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .signatures import SIGNATURES, Signature
from .structures.images import chunks

SECTOR = 512
WHOLE = 8192


@dataclass(frozen=True, order=True)
class Found:
    """Something that a recovery tool can work with."""

    start: int
    """Where the structure begins, in bytes; negative where its first bytes were before this disk's start."""
    kind: str
    magic: int
    """Where the bytes that tell it stand."""
    length: int
    """How many such bytes there are."""


def _hits(signature: Signature, place: int, data: bytes) -> list[int]:
    """Where in `data` the magic stands so that the structure begins at a whole sector."""
    magic = signature.magic
    told = next(number for number, byte in enumerate(magic) if byte)
    # That byte of the magic, if it is there, stands at one place of each sector: only these bytes are gone through.
    first = (signature.at + told - place) % SECTOR
    column = data[first::SECTOR]
    hits = []
    hit = column.find(magic[told])
    while hit >= 0:
        begin = first + hit * SECTOR - told
        if begin >= 0 and data.startswith(magic, begin):
            hits.append(place + begin)
        hit = column.find(magic[told], hit + 1)
    return hits


def search(path: Path) -> list[Found]:
    """Everything that tells what it is, by where it begins."""
    found = set()
    with path.open("rb") as disk:
        for place, data in chunks(path):
            for signature in SIGNATURES:
                for magic in _hits(signature, place, data):
                    start = magic - signature.at
                    if signature.sound and (start < 0 or not signature.sound(os.pread(disk.fileno(), WHOLE, start))):
                        continue
                    found.add(Found(start, signature.kind, magic, len(signature.magic)))
    return sorted(found)


def nonzero(path: Path) -> list[tuple[int, int]]:
    """Every stretch of sectors that hold a byte other than zero: (start, end), in bytes, whole sectors, adjoining ones as one."""
    stretches: list[tuple[int, int]] = []
    for place, data in chunks(path):
        for start, end in _used(data, 64 * 1024):
            for sector, _ in _used(data[start:end], SECTOR):
                begin = place + start + sector
                finish = min(begin + SECTOR, place + len(data))
                if stretches and stretches[-1][1] == begin:
                    stretches[-1] = (stretches[-1][0], finish)
                else:
                    stretches.append((begin, finish))
    return stretches


def _used(data: bytes, step: int) -> list[tuple[int, int]]:
    zeros = bytes(step)
    parts = ((start, min(start + step, len(data))) for start in range(0, len(data), step))
    return [(start, end) for start, end in parts if data[start:end] != zeros[: end - start]]
