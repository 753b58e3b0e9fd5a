"""What a later step would fail at, told before the first one: nothing is half done on a host that cannot be finished.

Looks only at what is due. Changes nothing, and so tries nothing out: it asks the kernel for flags and free space.
"""

from __future__ import annotations

import fcntl
import os
import stat
from typing import Collection, Dict, Iterator, List, Optional, Tuple

from fluxstead.hosts.script.files import RECORDS
from fluxstead.hosts.script.model import DeclaredHost
from fluxstead.hosts.script.packages import begun_packages, missing_packages, package_problems
from fluxstead.hosts.script.places import FS_IOC_GETFLAGS, FSTAB, IMMUTABLE
from fluxstead.hosts.script.system import INITIATOR_FILE, files, initiator, module_problems
from fluxstead.hosts.script.tools import text_of

ROOM = 4 * 1024 * 1024
"""Bytes that must be free where files are written; they take some KiB."""
PACKAGE_ROOM = 128 * 1024 * 1024
"""Where packages are fetched and unpacked; all of them take some 60 MiB on a minimal host."""
INODES = 64
RUN = "/run/fluxstead.lock"
APPEND_ONLY = 0x20
"""FS_APPEND_FL of <linux/fs.h>."""
SYSTEMD = "/run/systemd/system"
"""What sd_booted(3) asks."""
RECORD = os.path.join(RECORDS, "record")
"""For any file in there: the folder must be one, or become one."""
WRITERS = {"wipe": RECORD, "fstab": FSTAB}
"""The file that a task on a disk writes on the host."""


def preflight(node: DeclaredHost, tasks: Collection[str]) -> List[str]:
    """Reasons why preparing this host would end in the middle; `tasks` are those of all its disks (names in `act`)."""
    if not os.path.isdir(SYSTEMD):
        return [f"systemd does not run this host ({SYSTEMD} is not there): iscsid is kept by it, and disks are mounted by it"]
    reasons: Dict[str, List[str]] = {}
    for path, room in _written(node, tasks):
        why = unwritable(path, room)
        if why:
            reasons.setdefault(why, []).append(path)
    told = [f"{', '.join(dict.fromkeys(paths))} cannot be written: {why}" for why, paths in reasons.items()]
    return [*told, *package_problems(node), *module_problems()]


def _written(node: DeclaredHost, tasks: Collection[str]) -> Iterator[Tuple[str, int]]:
    """(a path, the bytes that it needs) of each file that is due to be written."""
    yield RUN, ROOM
    for task, path in WRITERS.items():
        if task in tasks:
            yield path, ROOM
    if "mountpoint" in tasks:
        for disk in node.disks:
            if not os.path.lexists(disk.mount_path):
                yield disk.mount_path, ROOM
    for path, text in files(node).items():
        if text_of(path) != text:
            yield path, ROOM
    if missing_packages(node) or begun_packages():
        yield RECORD, ROOM
        yield "/var/lib/dpkg/status", PACKAGE_ROOM
        yield "/var/cache/apt/archives", PACKAGE_ROOM
        yield "/usr/sbin", PACKAGE_ROOM
    if not initiator():
        yield INITIATOR_FILE, ROOM


def unwritable(path: str, room: int) -> str:
    """Why a file cannot be made, or replaced by a new one, at a path; empty when it can, as far as can be seen without trying.

    A path that is not there yet is asked of the nearest folder that is.
    """
    real = os.path.realpath(path)
    folder = real if os.path.isdir(real) else os.path.dirname(real)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        return f"{folder} is a file; it has to be a folder: move it away"
    return _filesystem_problem(folder, room) or _flag_problem(folder) or (_file_problem(real) if os.path.lexists(real) else "")


def _filesystem_problem(folder: str, room: int) -> str:
    usage = os.statvfs(folder)
    mount = folder
    while not os.path.ismount(mount):
        mount = os.path.dirname(mount)
    if usage.f_flag & os.ST_RDONLY:
        again = f"sudo mount -o remount,rw {mount}"
        return (
            f"{mount} is mounted read-only; where an error made it so (`sudo dmesg` says), mend the disk first; else type: {again}"
        )
    # Root may write into what a filesystem keeps back for it, but for what ext4 keeps for its own use.
    free = max(0, usage.f_bfree * usage.f_frsize - _for_itself(folder, usage.f_bsize))
    if free < room:
        find = f"sudo du -xh {mount} | sort -h | tail -n 20"
        return f"{mount} is full ({free // 1024} KiB free, {room // 1024} KiB are needed); type: sudo apt-get clean; {find}"
    # Filesystems without a fixed number of inodes say 0 of both.
    if usage.f_files and usage.f_ffree < INODES:
        find = f"sudo du -x --inodes {mount} | sort -n | tail -n 20"
        return f"{mount} has no inodes left ({usage.f_ffree} of {usage.f_files}): too many small files; type: {find}"
    return ""


def _for_itself(folder: str, block: int) -> int:
    """The bytes that ext4 counts as free and gives to nobody (Linux: fs/ext4/super.c, `s_resv_clusters`, 16 MiB at most)."""
    device = os.stat(folder).st_dev
    name = os.path.basename(os.path.realpath(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}"))
    return int(text_of(f"/sys/fs/ext4/{name}/reserved_clusters").strip() or 0) * block


def _file_problem(path: str) -> str:
    mounts = [line.split()[4] for line in text_of("/proc/self/mountinfo").splitlines()]
    if path in mounts and not os.path.isdir(path):
        return f"something is mounted over it (findmnt {path}), so that no new file can take its place; type: sudo umount {path}"
    return _flag_problem(path)


def _flag_problem(path: str) -> str:
    flags = _flags(path)
    for flag, letter, name in ((IMMUTABLE, "i", "immutable"), (APPEND_ONLY, "a", "append-only")):
        if flags is not None and flags & flag:
            return f"somebody made {path} {name}; where that may go, type: sudo chattr -{letter} {path}"
    return ""


def _flags(path: str) -> Optional[int]:
    """The attributes that lsattr(1) shows; None where there are none."""
    if not stat.S_ISREG(os.lstat(path).st_mode) and not os.path.isdir(path):
        return None
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return int.from_bytes(fcntl.ioctl(handle, FS_IOC_GETFLAGS, b"\0" * 8)[:4], "little")
    except OSError:
        return None
    finally:
        os.close(handle)
