"""The hand-written structures are what they claim to be, by tools that other people wrote; the search finds each of them."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .layouts import FILESYSTEMS, missing
from .search import nonzero, search
from .structures import STRUCTURES, Structure
from .structures.checksums import GIB, KIB, MIB
from .structures.images import create, write

BY_TOOLS = [one for one in STRUCTURES if one.blkid]
TOLD = [one for one in STRUCTURES if one.found]
UNTOLD = [one for one in STRUCTURES if not one.found]


def disk(path: Path, one: Structure, size: int, sector: int) -> Path:
    create(path, size)
    write(path, one.make(size, sector))
    return path


def sizes(one: Structure) -> tuple[int, int]:
    return one.smallest, 500 * GIB


def cases(which: list[Structure]) -> pytest.MarkDecorator:
    every = [(one, size, sector) for one in which for size in sizes(one) for sector in one.sectors]
    return pytest.mark.parametrize(
        ("one", "size", "sector"), every, ids=[f"{one.name}-{size // MIB}M-{sector}" for one, size, sector in every]
    )


@functools.cache
def known_to_blkid() -> set[str]:
    listed = subprocess.run(["blkid", "-k"], capture_output=True, text=True, check=True).stdout
    return {*listed.split(), "dos", "gpt", "PMBR", "mac", "sun"}


@cases(BY_TOOLS)
def test_libblkid_takes_it_for_what_it_claims_to_be(tmp_path: Path, one: Structure, size: int, sector: int) -> None:
    if not shutil.which("blkid") or not shutil.which("wipefs"):
        pytest.skip("needs blkid and wipefs")
    if one.blkid not in known_to_blkid():
        pytest.skip(f"this libblkid does not know {one.blkid}")
    image = disk(tmp_path / "disk", one, size, sector)
    probed = subprocess.run(["blkid", "-p", "-o", "export", image], capture_output=True, text=True, check=False).stdout
    # wipefs tells the parts too: the second header of LUKS2, a GPT's copy without the protective MBR.
    listed = subprocess.run(
        ["wipefs", "-n", "--noheadings", "-O", "TYPE", image], capture_output=True, text=True, check=False
    ).stdout
    types = {line.split("=", 1)[1] for line in probed.splitlines() if line.startswith(("TYPE=", "PTTYPE="))}
    assert one.blkid in types | set(listed.split())


LABELS = {
    "mbr_at_63": "dos",
    "mbr_extended": "dos",
    "gpt": "gpt",
    "gpt_primary_only": "gpt",
    "sun_disklabel": "sun",
    "bsd_disklabel": "bsd",
    "ldm": "dos",
}


@cases([one for one in STRUCTURES if one.name in LABELS])
def test_sfdisk_reads_the_table(tmp_path: Path, one: Structure, size: int, sector: int) -> None:
    if not shutil.which("sfdisk"):
        pytest.skip("needs sfdisk")
    image = disk(tmp_path / "disk", one, size, sector)
    dumped = subprocess.run(["sfdisk", "--dump", image], capture_output=True, text=True, check=True).stdout
    assert f"label: {LABELS[one.name]}\n" in dumped
    assert f"{image}1" in dumped


@cases(TOLD)
def test_the_search_finds_it(tmp_path: Path, one: Structure, size: int, sector: int) -> None:
    image = disk(tmp_path / "disk", one, size, sector)
    assert one.found in {found.kind for found in search(image)}


@cases(UNTOLD)
def test_the_search_says_nothing_of_random_data_but_that_it_is_there(
    tmp_path: Path, one: Structure, size: int, sector: int
) -> None:
    image = disk(tmp_path / "disk", one, size, sector)
    assert search(image) == []
    written = [(place, place + len(data)) for place, data in sorted(one.make(size, sector).items())]
    assert nonzero(image) == written


def test_an_empty_disk_holds_nothing(tmp_path: Path) -> None:
    create(tmp_path / "disk", 2048 * GIB)
    write(tmp_path / "disk", {0: bytes(MIB), 1024 * GIB: bytes(MIB)})
    assert search(tmp_path / "disk") == []
    assert nonzero(tmp_path / "disk") == []


def test_one_byte_is_told_by_its_sector(tmp_path: Path) -> None:
    create(tmp_path / "disk", 2048 * GIB)
    write(tmp_path / "disk", {1234 * GIB + 700: b"\x01", 2048 * GIB - 1: b"\x01"})
    assert nonzero(tmp_path / "disk") == [(1234 * GIB + 512, 1234 * GIB + 1024), (2048 * GIB - 512, 2048 * GIB)]


def made(disk: Path, name: str, start: int, size: int) -> Path:
    filesystem = FILESYSTEMS[name]
    if absent := missing(filesystem.needs):
        pytest.skip(f"needs {absent}")
    create(disk, size)
    filesystem.make(disk, start, size - start)
    return disk


@pytest.mark.parametrize(("name", "start"), [("ext4", 0), ("ext4", MIB), ("ext4, 1 KiB", 63 * 512), ("ext4, 64 KiB", MIB)])
def test_the_search_finds_each_copy_that_dumpe2fs_tells_of(tmp_path: Path, name: str, start: int) -> None:
    image = made(tmp_path / "disk", name, start, 8 * GIB)
    told = subprocess.run(["dumpe2fs", f"{image}?offset={start}"], capture_output=True, text=True, check=True).stdout
    block = int(re.findall(r"^Block size: +(\d+)", told, re.MULTILINE)[0])
    copies = {start + int(number) * block for number in re.findall(r"Backup superblock at (\d+)", told)}
    found = {one.start for one in search(image) if one.kind == "ext4" and one.length == 2}
    assert found == {start + 1024, *copies}


def test_the_search_finds_each_allocation_group(tmp_path: Path) -> None:
    image = made(tmp_path / "disk", "XFS", 0, 8 * GIB)
    found = [one.start for one in search(image) if one.kind == "XFS" and one.start % GIB == 0]
    assert found == [0, 2 * GIB, 4 * GIB, 6 * GIB]


def test_the_search_finds_both_superblocks_of_btrfs(tmp_path: Path) -> None:
    image = made(tmp_path / "disk", "btrfs", 513 * MIB, 8 * GIB)
    found = [one.start - 513 * MIB for one in search(image) if one.kind == "btrfs"]
    assert found == [64 * KIB, 64 * MIB]
