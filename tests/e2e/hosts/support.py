"""What the host tests share: nodes as data, foreign content for disks, and ways to stop the script in the middle."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from fluxstead.hosts.build import python_source, stdin_for

from .vm import Machine, Result

MIB = 1024 * 1024
LAST_LINE = 'if __name__ == "__main__":'


def disk(number: int, **changes: object) -> dict[str, object]:
    """The declaration of the disk with serial WD-FS000<number>."""
    plain: dict[str, object] = {
        "name": f"d{number}",
        "device": None,
        "serial": f"WD-FS{number:04d}",
        "wwn": None,
        "size": 300 * MIB,
        "filesystem": "ext4",
        "mountPath": f"/mnt/longhorn/d{number}",
        "wipe": None,
    }
    return {**plain, **changes}


def node(*disks: Mapping[str, object], **changes: object) -> dict[str, object]:
    """The node of the tests' machine."""
    plain = {
        "node": "k3s1",
        "address": "192.0.2.1",
        "disks": list(disks),
        "k3s": {"nodeLabels": ["storage=longhorn"], "nodeTaints": []},
    }
    return {**plain, **changes}


def result_of(done: Result) -> dict[str, Any]:
    """The script's result, its last line."""
    assert done.lines, (done.status, done.out, done.err)
    result = done.lines[-1].get("result")
    assert isinstance(result, dict), (done.out[-2000:], done.err[-2000:])
    return result


def plan(machine: Machine, *disks: Mapping[str, object]) -> dict[str, Any]:
    """The plan for these disks, which may refuse."""
    done = machine.script(stdin_for("plan", node(*disks)))
    assert done.status in (0, 1), (done.out[-2000:], done.err[-2000:])
    return result_of(done)


def apply(machine: Machine, *disks: Mapping[str, object]) -> dict[str, Any]:
    """An apply of these disks that goes well."""
    done = machine.script(stdin_for("apply", node(*disks)))
    assert done.status == 0, (done.out[-3000:], done.err[-3000:])
    return result_of(done)


def refused(machine: Machine, *disks: Mapping[str, object]) -> dict[str, str]:
    """The refusals of an apply by disk name; it must have changed nothing on any disk."""
    done = machine.script(stdin_for("apply", node(*disks)))
    assert done.status == 1, (done.out[-3000:], done.err[-3000:])
    return {one["name"]: one["message"] for one in result_of(done)["disks"] if one["action"] == "refuse"}


def patched(patch: str) -> str:
    """The script with some of its functions replaced at its end."""
    source = python_source()
    assert source.count(LAST_LINE) == 1
    return source.replace(LAST_LINE, patch + LAST_LINE)


KILL = "os.kill(script, 9)"
POWER_CUT = "open('/proc/sysrq-trigger', 'w').write('b')"


def stop_after_line(number: int, how: str) -> str:
    """Ends the script (or the machine) right after its n-th line of output."""
    return f"""
script = os.getpid()
said_lines = [0]
say_whole = say
def say(**fields):
    say_whole(**fields)
    said_lines[0] += 1
    if said_lines[0] == {number}:
        {how}
"""


def stop_after_bytes(number: int, how: str) -> str:
    """Ends it after so many bytes written to a disk in raw writes, in the middle of one.

    Each round of writes has a process of its own, whose parent is the script.
    """
    return f"""
import mmap
script = os.getpid()
written_bytes = mmap.mmap(-1, 8)
pwrite_whole = os.pwrite
def pwrite_part(handle, data, at):
    written = int.from_bytes(written_bytes[:], "little")
    left = {number} - written
    if len(data) >= left:
        pwrite_whole(handle, data[:left], at)
        os.fsync(handle)
        {how}
        time.sleep(600)
    written_bytes[:] = (written + len(data)).to_bytes(8, "little")
    return pwrite_whole(handle, data, at)
os.pwrite = pwrite_part
"""


WRITTEN = "sync; awk '$3 ~ /^sd.$/ {print $3, $10}' /proc/diskstats"
"""Sectors written to each data disk since the machine was started."""


def at_rest(machine: Machine) -> None:
    """Waits until the filesystems' own late work (inode tables, XFS' log) is done: a minute without a write."""
    deadline = time.monotonic() + 600
    seen = machine.root(WRITTEN)
    while time.monotonic() < deadline:
        time.sleep(60)
        now = machine.root(WRITTEN)
        if now == seen:
            return
        seen = now
    raise AssertionError(seen)


def digests(machine: Machine, numbers: Sequence[int]) -> dict[int, str]:
    """A digest of every byte of the disks with these serials, as they are on the medium."""
    machine.root("sync")
    return {number: machine.digest(number) for number in numbers}


def path(number: int) -> str:
    """A name of the disk that does not move."""
    return f"/dev/disk/by-id/wwn-0x50014ee0{number:08x}"


def partitioned(number: int, code: str = "8300") -> str:
    """Shell that gives a disk one partition; `$p` is it."""
    settle = f"udevadm settle; p={path(number)}-part1; until [ -e $p ]; do sleep 0.2; done"
    return f"sgdisk -n 1:0:0 -t 1:{code} {path(number)} >/dev/null; {settle}\n"


def with_file(number: int, mkfs: str, file: str = "photos/summer.jpg") -> str:
    """Shell that makes a filesystem on partition 1 that holds one file."""
    return (
        partitioned(number)
        + f"{mkfs} $p >/dev/null 2>&1; udevadm settle; mkdir -p /tmp/m; mount $p /tmp/m; mkdir -p $(dirname /tmp/m/{file}); "
        + f"echo precious > /tmp/m/{file}; umount /tmp/m\n"
    )


EXT4 = "mkfs.ext4 -q -F"
XFS = "mkfs.xfs -q -f"
