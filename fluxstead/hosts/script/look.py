"""Looking into filesystems without writing to them, and telling their content by a digest."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import asdict
from typing import Any, Dict, List, Tuple

from fluxstead.hosts.script.model import Look
from fluxstead.hosts.script.tools import StepError, apart, run

LOOK_OPTIONS = {
    "ext2": "ro",
    "ext3": "ro,noload",
    "ext4": "ro,noload",
    "xfs": "ro,norecovery,nouuid",
    "btrfs": "ro,rescue=nologreplay",
    "vfat": "ro",
    "exfat": "ro",
    "iso9660": "ro",
}
"""Options that keep each filesystem from repairing itself while it is looked into."""
REJECTED = ("wrong fs type", "Bad message", "Structure needs cleaning")
"""What mount(8) says, in the C locale, when the filesystem itself is not whole (EINVAL, EBADMSG, EUCLEAN)."""
LOOK_SECONDS = 120
LOOK_FOLDER = "/run/fluxstead"
DEPTH = 6
"""How deep Longhorn's folders are looked for and files are told."""
MOST_FILES = 100_000
CONFIG = "longhorn-disk.cfg"


def look(device: str, kind: str, mounted_at: str, whole: bool) -> Look:
    """What lies in a filesystem: through its mount, or mounted read-only for this look alone.

    `whole` walks through all its files, for the digest and for replicas in folders; else only Longhorn's own places.
    """
    if not mounted_at and kind not in LOOK_OPTIONS:
        return Look(problem=f"{kind} is not looked into")

    def inside() -> Dict[str, Any]:
        if mounted_at:
            return asdict(_look_at(mounted_at, kind, whole))
        os.makedirs(LOOK_FOLDER, mode=0o700, exist_ok=True)
        # Through a read-only loop device: not even the filesystem's driver can write then.
        try:
            run("mount", "-t", kind, "-o", LOOK_OPTIONS[kind] + ",loop,nosuid,nodev,noexec", device, LOOK_FOLDER)
        except StepError as error:
            return {"problem": str(error), "rejected": any(reason in str(error) for reason in REJECTED)}
        try:
            return asdict(_look_at(LOOK_FOLDER, kind, whole))
        finally:
            run("umount", LOOK_FOLDER)

    try:
        found = apart(inside, LOOK_SECONDS, own_mounts=not mounted_at)
    except StepError as error:
        return Look(problem=str(error))
    tuples: Dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    return Look(**tuples)


def _look_at(root: str, kind: str, whole: bool) -> Look:
    found = os.stat(root)
    entries = sorted(name for name in _names(root) if name != "lost+found")
    owner_right = found.st_uid == 0 and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    config = None
    if CONFIG in entries:
        with open(os.path.join(root, CONFIG), "rb", opener=_quietly) as file:
            config = file.read(65536).decode("utf-8", "replace")
    walked, digest = _walk(root, kind, found.st_dev) if whole else ([], "")
    # Its own place is asked for by itself: the walk may have met its limit elsewhere.
    replicas = sorted({*walked, *_direct_replicas(root, entries)})
    return Look("", False, tuple(entries[:20]), tuple(replicas[:20]), config, digest, owner_right)


def _direct_replicas(root: str, entries: List[str]) -> List[str]:
    folder = os.path.join(root, "replicas")
    if "replicas" not in entries or not os.path.isdir(folder):
        return []
    return [f"replicas/{name}" for name in _names(folder)]


def _walk(root: str, kind: str, device: int) -> Tuple[List[str], str]:
    """Folders that hold replicas, and a digest of names, sizes and times, the shallow ones first."""
    told = hashlib.sha256()
    replicas: List[str] = []
    level: List[str] = [""]
    left = MOST_FILES
    for _ in range(DEPTH):
        below: List[str] = []
        for folder in level:
            for name in sorted(_names(os.path.join(root, folder)))[:left]:
                path = os.path.join(folder, name)
                seen = os.lstat(os.path.join(root, path))
                left -= 1
                told.update(repr((path, seen.st_mode, seen.st_size, seen.st_mtime_ns)).encode())
                if name == "volume.meta" or os.path.basename(folder) == "replicas":
                    replicas.append(path if stat.S_ISDIR(seen.st_mode) else folder)
                if stat.S_ISDIR(seen.st_mode) and seen.st_dev == device:
                    below.append(path)
        level = below
    usage = os.statvfs(root)
    # Others count blocks that they keep for themselves while they are mounted for writing.
    blocks = usage.f_blocks - usage.f_bfree if kind.startswith("ext") else 0
    told.update(repr((usage.f_files - usage.f_ffree, blocks)).encode())
    return replicas, told.hexdigest()


def _quietly(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOATIME)


def _names(folder: str) -> List[str]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOATIME)
    try:
        return os.listdir(handle)
    finally:
        os.close(handle)
