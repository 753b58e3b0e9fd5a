"""Who holds a block device: processes that have it open or mounted, and the devices that stand on it, with the way to stop them."""

from __future__ import annotations

import glob
import os
import stat
from typing import Dict, Iterable, Iterator, List, Set, Tuple

from fluxstead.hosts.script.tools import text_of

PASSING = ("systemd-udevd", "(udev-worker)", "udevadm")
"""Open every disk for a moment, and are waited for elsewhere."""


def open_by(numbers: Iterable[str]) -> Dict[str, Tuple[str, ...]]:
    """Of each device, by its `major:minor`, the processes that have it open: `qemu-system-x86 (pid 42)`."""
    wanted = set(numbers)
    found: Dict[str, Dict[str, None]] = {}
    for folder in glob.glob("/proc/[0-9]*/fd"):
        pid = folder.split("/")[2]
        if pid == str(os.getpid()):
            continue
        for number in _devices(folder) & wanted:
            name = _process(pid)
            if not name.startswith(PASSING):
                found.setdefault(number, {})[name] = None
    return {number: tuple(names) for number, names in found.items()}


def _devices(folder: str) -> Set[str]:
    """The block devices among the open files of a process, which may end meanwhile."""
    found = set()
    try:
        for name in os.listdir(folder):
            seen = os.stat(f"{folder}/{name}")
            if stat.S_ISBLK(seen.st_mode):
                found.add(f"{os.major(seen.st_rdev)}:{os.minor(seen.st_rdev)}")
    except OSError:
        return found
    return found


def _process(pid: str) -> str:
    return f"{text_of(f'/proc/{pid}/comm').strip() or 'a process'} (pid {pid})"


def mounted_by(numbers: Iterable[str]) -> List[str]:
    """Processes in whose own mounts one of these devices is mounted, as containers have them, and where."""
    wanted = set(numbers)
    told: Dict[str, str] = {}
    for path in glob.glob("/proc/[0-9]*/mountinfo"):
        pid = path.split("/")[2]
        for fields in _mounts(path):
            if fields[2] in wanted:
                told.setdefault(f"{fields[2]} {fields[4]}", f"mounted at {fields[4]} for {_process(pid)}")
    return list(told.values())


def _mounts(path: str) -> Iterator[List[str]]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    yield from (line.split() for line in lines)


def stopped_by(name: str) -> str:
    """What to type so that the kernel lets go of what this stacked device stands on."""
    kind = text_of(f"/sys/class/block/{name}/dm/uuid")
    called = text_of(f"/sys/class/block/{name}/dm/name").strip()
    # device-mapper doubles the hyphens of a volume group's own name.
    group = called.replace("--", "\0").partition("-")[0].replace("\0", "-")
    ways = {"LVM": f"vgchange -an {group}", "CRYPT": f"cryptsetup close {called}", "mpath": f"multipath -f {called}"}
    if called:
        return ways.get(kind.partition("-")[0], f"dmsetup remove {called}")
    if name.startswith("md"):
        return f"mdadm --stop /dev/{name}"
    return f"echo 1 > /sys/block/{name}/bcache/stop" if name.startswith("bcache") else f"stop what made {name}"
