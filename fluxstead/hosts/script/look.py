"""Looking into filesystems: through their mount, or with their own tools, which read the device and mount nothing.

A look by a mount would make devices and members of arrays known to the kernel and to udev, which act on them: half of a stopped
RAID 1 was assembled anew by a look through a loop device, and a btrfs of two disks could not be mounted after one.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from dataclasses import asdict
from typing import Any, Dict, Iterator, List, Tuple

from fluxstead.hosts.script.model import UNTOOLED, Look
from fluxstead.hosts.script.tools import ENVIRONMENT, StepError, apart

LOOK_SECONDS = 120
MOST_FOLDERS = 20_000
CONFIG = "longhorn-disk.cfg"
REPLICA = "volume.meta"
"""In each replica's folder (longhorn-engine: pkg/replica)."""

Entry = Tuple[str, int, bool]
"""Name, inode, and whether it is a folder."""


def look(device: str, kind: str, mounted_at: str) -> Look:
    """What lies in a filesystem of a kind in LOOKED_INTO: at its mount where it is mounted, else read by its own tools."""

    def inside() -> Dict[str, Any]:
        return asdict(_look_at(mounted_at) if mounted_at else _look_with(device, kind))

    try:
        found = apart(inside, LOOK_SECONDS)
    except StepError as error:
        return Look(problem=str(error))
    tuples: Dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    return Look(**tuples)


def _look_at(root: str) -> Look:
    found = os.stat(root)
    names = _names(root)
    config = None
    if CONFIG in names:
        with open(os.path.join(root, CONFIG), "rb", opener=_quietly) as file:
            config = file.read(65536).decode("utf-8", "replace")
    folder = os.path.join(root, "replicas")
    replicas = [f"replicas/{name}" for name in _names(folder)] if os.path.isdir(folder) else []
    open_to_all = found.st_uid != 0 or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    return Look("", _shown(names), tuple(sorted(replicas)[:20]), config, open_to_all)


def _shown(names: List[str]) -> Tuple[str, ...]:
    return tuple(sorted(name for name in names if name != "lost+found")[:20])


def _quietly(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOATIME)


def _names(folder: str) -> List[str]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOATIME)
    try:
        return os.listdir(handle)
    finally:
        os.close(handle)


def _look_with(device: str, kind: str) -> Look:
    """Folder by folder, those near the root first, until Longhorn's were found or all were seen."""
    lister = _list_xfs if kind == "xfs" else _list_ext
    config_of = _config_xfs if kind == "xfs" else _config_ext
    root = lister(device, [])
    entries = _shown([name for name, _, _ in root[""]])
    config = config_of(device) if any(name == CONFIG and not folder for name, _, folder in root[""]) else None
    replicas: List[str] = []
    level = dict(_folders("", root[""]))
    seen = 0
    while level and not replicas:
        seen += len(level)
        if seen > MOST_FOLDERS:
            raise StepError(f"it has more than {MOST_FOLDERS} folders")
        listed = lister(device, list(level.values()))
        below: Dict[str, int] = {}
        for path, inode in level.items():
            inside = listed.get(str(inode))
            if inside is None:
                raise StepError(f"its folder {path} cannot be read")
            if os.path.basename(path) == "replicas":
                replicas += [f"{path}/{name}" for name, _, _ in inside]
            elif any(name == REPLICA for name, _, _ in inside):
                replicas.append(path)
            below.update(_folders(path, inside))
        level = below
    return Look("", entries, tuple(sorted(replicas)[:20]), config, False)


def _folders(path: str, entries: List[Entry]) -> Iterator[Tuple[str, int]]:
    for name, inode, folder in entries:
        if folder and name != "lost+found":
            yield (f"{path}/{name}" if path else name), inode


def _asked(command: List[str], questions: List[str]) -> str:
    try:
        done = subprocess.run(
            command, input="\n".join([*questions, "quit", ""]).encode(), env=ENVIRONMENT, capture_output=True, check=False
        )
    except FileNotFoundError:
        package = {"debugfs": "e2fsprogs", "xfs_db": "xfsprogs"}[command[0]]
        raise StepError(f"{UNTOOLED}: {command[0]} is not installed: apt-get install {package}") from None
    return (done.stdout + b"\n" + done.stderr).decode("utf-8", "surrogateescape")


def _list_ext(device: str, inodes: List[int]) -> Dict[str, List[Entry]]:
    """The entries of each folder by its inode; without one, those of the root, by an empty text."""
    said = _asked(["debugfs", "-D", "-c", "-f", "-", device], [f"ls -p <{inode}>" for inode in inodes or [2]])
    found: Dict[str, List[Entry]] = {}
    for part in re.split(r"^debugfs: ", said, flags=re.MULTILINE)[1:]:
        asked = re.match(r"ls -p <(\d+)>\n", part)
        rows = re.findall(r"^/(\d+)/(\d{6})/\d+/\d+/(.*)/\d*/$", part, re.MULTILINE)
        # Each folder names itself, so one without entries was not read.
        if asked and rows:
            inside = [(name, int(inode), mode.startswith("04")) for inode, mode, name in rows if name not in (".", "..")]
            found[asked.group(1) if inodes else ""] = inside
    return _checked(found, inodes, said)


def _config_ext(device: str) -> str:
    said = _asked(["debugfs", "-D", "-c", "-f", "-", device], [f"cat /{CONFIG}"])
    return said.partition(f"debugfs: cat /{CONFIG}\n")[2].partition("\ndebugfs: quit")[0].partition("debugfs: quit")[0]


XFS_ROW = re.compile(r"^\d+\s+(\d+)\s+(\w+)\s+0x[0-9a-f]+\s+\d+ (.*) \((?:good|corrupt)\)$", re.MULTILINE)


def _list_xfs(device: str, inodes: List[int]) -> Dict[str, List[Entry]]:
    said = _asked(["xfs_db", "-r", device], [f"inode {inode}\nls" for inode in inodes] or ["path /\nls"])
    found: Dict[str, List[Entry]] = {}
    inside: List[Entry] = []
    for inode, kind, name in XFS_ROW.findall(said):
        if name == ".":
            inside = found.setdefault(inode if inodes else "", [])
        elif name != "..":
            inside.append((name, int(inode), kind == "directory"))
    return _checked(found, inodes, said)


def _config_xfs(device: str) -> str:
    """Out of its first block, which is all that Longhorn writes."""
    said = _asked(["xfs_db", "-r", device], [f"path /{CONFIG}", "print core.size", "dblock 0", "type data", "print"])
    size = re.search(r"core\.size = (\d+)", said)
    rows = re.findall(r"^[0-9a-f]+: ((?:[0-9a-f]{8} ?)+)$", said, re.MULTILINE)
    return bytes.fromhex("".join(rows))[: int(size.group(1)) if size else 0].decode("utf-8", "replace")


def _checked(found: Dict[str, List[Entry]], inodes: List[int], said: str) -> Dict[str, List[Entry]]:
    if "command ls not found" in said:
        raise StepError(f"{UNTOOLED}: its xfs_db has no `ls` yet; a newer xfsprogs has")
    if not inodes and "" not in found:
        lines = [line for line in said.splitlines() if line.strip() and not line.startswith("debugfs")]
        raise StepError(f"its own tools cannot read it: {' '.join(lines)[:300] or 'they say nothing'}")
    return found
