"""Reading raw disks and filesystems as real tools make them, on files that stand for disks."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fluxstead.hosts.script.content import content_of, unchanged
from fluxstead.hosts.script.evidence import gather, places, where
from fluxstead.hosts.script.files import write_safely
from fluxstead.hosts.script.gpt import PREPARING, partition_guid, table
from fluxstead.hosts.script.look import look
from fluxstead.hosts.script.medium import Medium
from fluxstead.hosts.script.model import MIB, FoundDisk, Signature
from fluxstead.hosts.script.superblocks import Kept, kept
from fluxstead.hosts.script.tools import RefusedError

from .promise import apart
from .world import SERIAL, blank, part, whole

GIB = 1024 * MIB
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def tool(*command: str | Path, text: str = "") -> None:
    """Runs a real tool, which must be there."""
    if shutil.which(str(command[0]), path=SBIN) is None:
        pytest.skip(f"{command[0]} is not installed")
    environment = {**os.environ, "PATH": SBIN}
    subprocess.run(list(map(str, command)), input=text.encode(), env=environment, check=True, capture_output=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A sparse file that can be read past the page cache, as disks are."""
    file = tmp_path / "disk"
    file.touch()
    try:
        os.close(os.open(file, os.O_RDONLY | os.O_DIRECT))
    except OSError:
        pytest.skip("the filesystem of temporary files has no direct reads")
    os.truncate(file, 400 * MIB)
    return file


def disk_of(file: Path, *signatures: Signature) -> FoundDisk:
    size = file.stat().st_size
    return blank(path=str(file), size=size, volumes=(whole(str(file), size=size, signatures=signatures),))


def blankness(file: str, size: int) -> str:
    """Where something other than zeros was found, in words; empty if nowhere."""
    return where(gather(file, places(size)).found)


def put(file: Path, at: int, data: bytes) -> None:
    with file.open("r+b") as image_file:
        image_file.seek(at)
        image_file.write(data)


@pytest.mark.parametrize("size", [16 * MIB, 400 * MIB, 5 * GIB + 512, 500 * 10**9])
def test_one_byte_where_things_begin_is_seen(image: Path, size: int) -> None:
    """Both ends, behind partition tables old and new, the copies of superblocks, and the quarters of XFS."""
    os.truncate(image, size)
    assert blankness(str(image), size) == ""
    spots = [0, 1080, 63 * 512, MIB, 2 * MIB + 1080, 8 * MIB, size // 2, size - 512, size - 1, size - 2 * MIB + 4096]
    spots += [at for at in (513 * MIB, MIB + 128 * MIB, MIB + 25 * 128 * MIB, size // 4 + MIB) if at < size]
    for group in apart(spots):
        for at in group:
            put(image, at, b"x")
        assert set(group) <= set(gather(str(image), places(size)).found)
        assert "not zero at" in blankness(str(image), size)
        for at in group:
            put(image, at, b"\0")
    assert blankness(str(image), size) == ""


def test_the_places_of_a_large_disk_are_few() -> None:
    """The number is bounded: a plan takes as long for 20 TB as for 500 GB."""
    for size in (500 * 10**9, 20 * 10**12):
        spans = places(size)
        assert sum(end - start for start, end in spans) < 128 * MIB
        assert len(spans) < 2000


def test_what_the_page_cache_holds_of_a_disk_is_not_what_is_read(image: Path) -> None:
    """An earlier reader filled the page cache, and a later write bypassed it, as one through a mounted partition does."""
    with Medium(str(image)) as medium:
        assert medium.read(5000, 10) == bytes(10)
        put(image, 5003, b"x")
        assert medium.read(5000, 10) == b"\0\0\0x" + bytes(6)
        assert medium.read(400 * MIB - 3, 10) == bytes(3)


@pytest.mark.parametrize("block", ["1024", "4096", "65536"])
def test_an_ext4_is_looked_into_whatever_its_blocks(image: Path, tmp_path: Path, block: str) -> None:
    (tmp_path / "cfg").write_text('{"diskUUID":"u","diskName":"a"}')
    deep = "/a/b/c/d/e/f/g/replicas"
    folders = "\n".join(f"mkdir {'/'.join(deep.split('/')[:end])}" for end in range(2, len(deep.split("/")) + 1))
    tool("mkfs.ext4", "-q", "-F", "-b", block, image)
    tool("debugfs", "-w", "-f", "-", image, text=f"write {tmp_path / 'cfg'} longhorn-disk.cfg\n{folders}\n")
    found = look(str(image), "ext4", "")
    assert (found.problem, found.entries, found.replicas) == ("", ("a", "longhorn-disk.cfg"), ())
    assert found.config == '{"diskUUID":"u","diskName":"a"}'
    tool("debugfs", "-w", "-f", "-", image, text=f"mkdir {deep}/pvc-1\n")
    assert look(str(image), "ext4", "").replicas == ("a/b/c/d/e/f/g/replicas/pvc-1",)
    before = content_of(disk_of(image, Signature("ext4", 1080)))
    assert before["untold"] == []
    tool("debugfs", "-w", "-f", "-", image, text=f"rmdir {deep}/pvc-1\n")
    assert content_of(disk_of(image, Signature("ext4", 1080)))["digest"] != before["digest"]


PROTO = "/bin/true\n0 0\nd--755 0 0\nlonghorn-disk.cfg ---644 0 0 {}\nold d--755 0 0\nreplicas d--755 0 0\npvc-1 d--755 0 0\n"
PROTO += "$\n$\n$\n$\n"
"""What mkfs.xfs fills a new filesystem with: a file in its root, and folders in folders."""


def test_an_xfs_is_looked_into(image: Path, tmp_path: Path) -> None:
    (tmp_path / "cfg").write_text("{}")
    (tmp_path / "proto").write_text(PROTO.format(tmp_path / "cfg"))
    tool("mkfs.xfs", "-q", "-f", "-p", tmp_path / "proto", image)
    found = look(str(image), "xfs", "")
    assert (found.problem, found.entries, found.replicas) == ("", ("longhorn-disk.cfg", "old"), ("old/replicas/pvc-1",))
    assert found.config == "{}"
    assert content_of(disk_of(image, Signature("xfs", 0)))["untold"] == []


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_superblock_without_its_filesystem_is_a_problem_and_no_emptiness(image: Path, kind: str) -> None:
    tool(f"mkfs.{kind}", "-q", "-F" if kind == "ext4" else "-f", image)
    for at in (4096, 36 * MIB, 100 * MIB, 200 * MIB):
        put(image, at, b"\xa5" * 3 * MIB)
    assert look(str(image), kind, "").problem


def test_what_mkfs_leaves_is_told_from_what_was_mounted(image: Path) -> None:
    tool("mkfs.ext4", "-q", "-F", image)
    with Medium(str(image)) as medium:
        assert kept(medium, 0) == Kept(never_mounted=True, dirty=False)
        assert kept(medium, MIB) is None
    tool("debugfs", "-w", "-f", "-", image, text="set_super_value mnt_count 1\nfeature needs_recovery\n")
    with Medium(str(image)) as medium:
        assert kept(medium, 0) == Kept(never_mounted=False, dirty=True)
    tool("mkfs.xfs", "-q", "-f", image)
    with Medium(str(image)) as medium:
        past = kept(medium, 0)
    assert past is not None
    assert (past.never_mounted, past.dirty) == (True, False)
    assert past.log is not None


def test_a_wiped_disk_stays_blank_under_our_table(image: Path) -> None:
    """Data outside the places that were looked at when the disk was wiped must not be found once there is a partition."""
    size = 400 * MIB
    for at in range(0, size, MIB):
        put(image, at, b"\xa5" * MIB)
    for start, end in places(size):
        put(image, start, bytes(end - start))
    pieces = table(SERIAL, size, 512, PREPARING)
    for at, data in pieces.items():
        put(image, at, data)
    ours = replace(part(size=size - 2 * MIB), partition_guid=partition_guid(SERIAL), partition_name=PREPARING)
    disk = disk_of(image)
    assert content_of(replace(disk, volumes=(*disk.volumes, ours)))["inside"] == ""
    theirs = replace(ours, partition_guid="")
    assert content_of(replace(disk, volumes=(*disk.volumes, theirs)))["inside"]


def test_a_disk_that_changed_since_it_was_read_is_not_written_to(image: Path) -> None:
    disk = replace(disk_of(image), evidence=content_of(disk_of(image))["evidence"])
    unchanged(disk)
    put(image, 200 * MIB + 5, b"x")
    with pytest.raises(RefusedError, match="written to since it was looked at"):
        unchanged(disk)


def test_a_file_that_is_replaced_stays_what_it_is(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("before")
    (tmp_path / "link").symlink_to("real")
    os.setxattr(real, "user.kept", b"yes")
    if os.geteuid() == 0:
        os.chown(real, 4, 5)
    write_safely(str(tmp_path / "link"), "after", 0o640)
    assert (tmp_path / "link").is_symlink()
    assert real.read_text() == "after"
    assert os.getxattr(real, "user.kept") == b"yes"
    assert real.stat().st_mode & 0o777 == 0o640
    assert os.geteuid() or (real.stat().st_uid, real.stat().st_gid) == (4, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
