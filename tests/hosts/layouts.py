"""Disks as real tools leave them on sparse files, and the ways in which people clean disks."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .structures.checksums import GIB, KIB, MIB
from .structures.images import copy, create, zero

STARTS = {
    "no partition": 0,
    "sector 63": 63 * 512,  # as before 2008
    "1 MiB": MIB,
    "2 MiB": 2 * MIB,  # behind a bios_grub partition
    "4 MiB": 4 * MIB,  # as on SD cards
    "17 MiB": 17 * MIB,  # behind Windows' reserved partition
    "129 MiB": 129 * MIB,  # behind an older reserved partition
    "513 MiB": 513 * MIB,  # behind an EFI partition
    "1 GiB + 1 MiB": GIB + MIB,  # behind a boot partition
}


def tool(*command: str | Path) -> None:
    """Run a tool that must not fail; what it says is shown if it does."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def _aside(disk: Path, start: int, length: int, *command: str) -> None:
    """Make a filesystem in a file of its own, for the tools that know no offset, and copy it to its place."""
    part = disk.with_suffix(".part")
    create(part, length)
    part.chmod(0o600)
    tool(*command, part)
    copy(part, disk, start)
    part.unlink()


def ext4(disk: Path, start: int, length: int) -> None:
    """ext4 as `mkfs.ext4` makes it: blocks of 4 KiB."""
    tool("mkfs.ext4", "-q", "-F", "-b", "4096", "-E", f"offset={start}", disk, f"{length // KIB}k")


def ext4_1k(disk: Path, start: int, length: int) -> None:
    """ext4 with blocks of 1 KiB, as on small disks: groups of 8 MiB, copies 1 KiB behind their starts."""
    tool("mkfs.ext4", "-q", "-F", "-b", "1024", "-E", f"offset={start}", disk, f"{length // KIB}k")


def ext4_64k(disk: Path, start: int, length: int) -> None:
    """ext4 with blocks of 64 KiB, as arm64 kernels may have it: 65,528 of them in a group, not quite 4 GiB."""
    tool("mkfs.ext4", "-q", "-F", "-F", "-b", "65536", "-E", f"offset={start}", disk, f"{length // KIB}k")


def xfs(disk: Path, start: int, length: int) -> None:
    """XFS as `mkfs.xfs` makes it: four allocation groups."""
    _aside(disk, start, length, "mkfs.xfs", "-q", "-f")


def btrfs(disk: Path, start: int, length: int) -> None:
    """btrfs as `mkfs.btrfs` makes it: superblocks at 64 KiB, 64 MiB, 256 GiB."""
    _aside(disk, start, length, "mkfs.btrfs", "-q", "-f")


def vfat(disk: Path, start: int, length: int) -> None:
    """FAT32, the copy of its boot sector six sectors later."""
    _aside(disk, start, length, "mkfs.vfat", "-F", "32")


def swap(disk: Path, start: int, length: int) -> None:
    """Swap space: one page."""
    _aside(disk, start, length, "mkswap", "-q")


@dataclass(frozen=True)
class Filesystem:
    """A filesystem and the tool that makes it."""

    make: Callable[[Path, int, int], None]
    needs: str
    found: str
    """What the search calls it."""


FILESYSTEMS = {
    "ext4": Filesystem(ext4, "mkfs.ext4", "ext4"),
    "ext4, 1 KiB": Filesystem(ext4_1k, "mkfs.ext4", "ext4"),
    "ext4, 64 KiB": Filesystem(ext4_64k, "mkfs.ext4", "ext4"),
    "XFS": Filesystem(xfs, "mkfs.xfs", "XFS"),
    "btrfs": Filesystem(btrfs, "mkfs.btrfs", "btrfs"),
    "FAT32": Filesystem(vfat, "mkfs.vfat", "FAT"),
    "swap": Filesystem(swap, "mkswap", "swap"),
}


def table(disk: Path, kind: str, start: int) -> None:
    """A table of `kind` (`gpt` or `dos`) with one partition from `start` to the end."""
    # Not by sgdisk: it sleeps a second after each write.
    subprocess.run(
        ["sfdisk", "-q", "--no-reread", "--no-tell-kernel", disk],
        input=f"label: {kind}\nstart={start // 512}\n",
        capture_output=True,
        text=True,
        check=True,
    )


def first(length: int) -> Callable[[Path], None]:
    """`dd if=/dev/zero of=… bs=… count=…`: the first `length` bytes."""
    return lambda disk: zero(disk, 0, length)


def first_and_last(length: int) -> Callable[[Path], None]:
    """The first and the last `length` bytes, as installers do."""

    def clean(disk: Path) -> None:
        size = disk.stat().st_size
        zero(disk, 0, length)
        zero(disk, size - length, size)

    return clean


def half_a_copy(disk: Path) -> None:
    """A copy that was broken off: the rest of the disk is as it came from the shop."""
    size = disk.stat().st_size
    zero(disk, size // 2, size)


def onto_a_larger_disk(disk: Path) -> None:
    """`dd` of a smaller disk onto this one: nothing stands at the end."""
    with disk.open("r+b") as opened:
        opened.truncate(disk.stat().st_size * 2)


CLEANINGS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "nothing": ("true", lambda _: None),
    "sgdisk --zap-all": ("sgdisk", lambda disk: tool("sgdisk", "--zap-all", disk)),
    "wipefs -a": ("wipefs", lambda disk: tool("wipefs", "-a", disk)),
    "dd of the first MiB": ("true", first(MIB)),
    "dd of the first 100 MiB": ("true", first(100 * MIB)),
    "dd of the first GiB": ("true", first(GIB)),
    "dd of the first and the last MiB": ("true", first_and_last(MIB)),
    "half a copy": ("true", half_a_copy),
    "a copy onto a larger disk": ("true", onto_a_larger_disk),
}


def missing(*tools: str) -> str:
    """The first of `tools` that is not installed; empty if all are."""
    return next((name for name in tools if not shutil.which(name)), "")
