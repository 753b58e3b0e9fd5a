"""Doing one task of a verdict. Nothing here decides: each function does what its name says to the disk it is given."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time
from contextlib import contextmanager
from typing import Callable, Dict, Iterator, List

from fluxstead.hosts.script.content import around, looked_at, unchanged
from fluxstead.hosts.script.decide import decide
from fluxstead.hosts.script.files import write_safely
from fluxstead.hosts.script.gpt import PREPARING, READY, edges, table
from fluxstead.hosts.script.identity import identity
from fluxstead.hosts.script.look import CONFIG
from fluxstead.hosts.script.model import MARK, DeclaredHost, FoundDisk, Host, Verdict, label_of
from fluxstead.hosts.script.places import FS_IOC_GETFLAGS, FSTAB, IMMUTABLE
from fluxstead.hosts.script.read import ends, read_host, signatures, whole_ends
from fluxstead.hosts.script.text import adopted_line, fstab_fields, fstab_lines, said
from fluxstead.hosts.script.tools import WORK_SECONDS, RefusedError, StepError, answer, apart, opened, run, say, step, text_of
from fluxstead.hosts.script.wipe import forget_wipe, wipe, write_blocks

FORMAT_SECONDS = 1800
WRITE_SECONDS = 600
"""For some MiB per partition, on the slowest stick."""
FS_IOC_SETFLAGS = 0x40086602
FS_IOC_SETFSLABEL = 0x41009432
MOST_TASKS = 24
"""A disk needs about ten; more means that a task has no effect."""


def prepare_disk(name: str, node: DeclaredHost, before: Host) -> List[str]:
    """Does the tasks of one disk, deciding anew from the host's truth before each; says which were done."""
    done: List[str] = []
    while len(done) < MOST_TASKS:
        verdict = decide_one(name, node, before)
        disk = verdict.disk
        if verdict.action == "refuse" or disk is None:
            raise RefusedError(said(verdict))
        if not verdict.tasks:
            return done
        task = verdict.tasks[0]
        if done and done[-1] == task:
            raise StepError(f"{task} was done and is still needed")
        step(task, lambda: TASKS[task](verdict, disk), disk=name, device=disk.path, serial=disk.serial)  # noqa: B023
        done.append(task)
    raise StepError(f"no end after {', '.join(done)}")


def decide_one(name: str, node: DeclaredHost, before: Host) -> Verdict:
    """The verdict on one disk as it is at this moment; of other disks, only which they are is read again."""
    host = read_host(node, name, before)
    return next(decide(declared, node, host) for declared in node.disks if declared.name == name)


def _wipe(verdict: Verdict, disk: FoundDisk) -> None:
    consent = verdict.declared.wipe or ""
    while_held(disk, lambda: wipe(disk, consent, looked_at(disk)), alone=True)
    for _ in range(16):
        _tell_kernel(disk)
        # Backup superblocks show themselves only once the first ones are gone.
        left = signatures(disk.path)
        if not left:
            return
        spans = [around(each.offset) for each in left]
        while_held(disk, lambda: wipe(disk, consent, spans), alone=True, again=True)  # noqa: B023
    raise StepError(f"signatures stay: {', '.join(each.type for each in left)}")


def _partition(_: Verdict, disk: FoundDisk) -> None:
    # A filesystem of ours that has lost its table is not to be formatted.
    fresh = READY if disk.hidden else PREPARING
    _write_table(disk, disk.table_name if disk.edges == "table" else fresh)
    forget_wipe(disk)


def _finish(_: Verdict, disk: FoundDisk) -> None:
    _write_table(disk, READY)


def _write_table(disk: FoundDisk, name: str, again: bool = False) -> None:
    pieces = table(disk.serial, disk.size, disk.sector, name)
    mounted = any(volume.mounts for volume in disk.volumes)

    def write() -> None:
        first, last = whole_ends(*ends(disk))
        if edges(disk.serial, disk.size, disk.sector, first, last)[:2] != (disk.edges, disk.table_name):
            raise RefusedError(f"the partition table of {disk.path} was written to since it was looked at: nothing was done to it")
        for at in sorted(pieces, reverse=True):
            write_blocks(disk.path, {at: pieces[at]})

    while_held(disk, write, alone=not mounted, again=again)
    if not mounted:
        _tell_kernel(disk)


def while_held(disk: FoundDisk, work: Callable[[], None], alone: bool, again: bool = False) -> None:
    """Does `work` with the held disk, in a process that a disk which hangs keeps and the run does not wait for.

    Raises RefusedError when the disk no longer holds what was read of it, unless this is `again` a write of the same task.
    """

    def hold() -> None:
        with held(disk, alone) as device:
            # udev's own protocol: it leaves a locked device alone (systemd's BLOCK_DEVICE_LOCKING).
            fcntl.flock(device, fcntl.LOCK_EX)
            if not again:
                unchanged(disk)
            work()

    apart(hold, WRITE_SECONDS)


@contextmanager
def held(disk: FoundDisk, alone: bool) -> Iterator[int]:
    """The disk, open, and still the one that was read: while it is, its name goes to no other, and alone, nobody else's it is.

    Raises RefusedError when it was replaced or taken into use since it was read.
    """
    device = opened(disk.path, alone)
    try:
        now = identity(os.path.basename(disk.path))
        if now.doubt or (now.serials, now.wwn, now.size, now.sequence) != (disk.serials, disk.wwn, disk.size, disk.sequence):
            raise RefusedError(f"{disk.path} is another disk than a moment ago: serial {now.serial or 'none'}, was {disk.serial}")
        yield device
    finally:
        os.close(device)


def _tell_kernel(disk: FoundDisk) -> None:
    for attempt in range(5):
        answer(["udevadm", "settle"], WORK_SECONDS)
        status, _, err = answer(["blockdev", "--rereadpt", disk.path])
        if not status:
            break
        time.sleep(attempt)
    else:
        raise StepError(f"the kernel does not read the partition table of {disk.path}: {err.strip()}")
    run("udevadm", "settle", seconds=WORK_SECONDS)


def _partition_path(disk: FoundDisk) -> str:
    return disk.path + ("p1" if disk.path[-1].isdigit() else "1")


def _format(verdict: Verdict, disk: FoundDisk) -> None:
    label = label_of(verdict.declared.name, disk.serial)
    path = _partition_path(disk)
    with held(disk, alone=False):
        apart(lambda: unchanged(disk), WRITE_SECONDS)
        if verdict.declared.filesystem == "ext4":
            run("mkfs.ext4", "-F", "-q", "-E", "nodiscard", "-L", label, path, seconds=FORMAT_SECONDS)
        else:
            run("mkfs.xfs", "-f", "-q", "-K", "-L", label, path, seconds=FORMAT_SECONDS)
        run("blockdev", "--flushbufs", path)
    say(step="format", status="formatted", disk=verdict.declared.name)
    _write_table(disk, READY, again=True)


def _mountpoint(verdict: Verdict, _: FoundDisk) -> None:
    os.makedirs(verdict.declared.mount_path, mode=0o755, exist_ok=True)
    _make_immutable(verdict.declared.mount_path)


def _make_immutable(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flags = int.from_bytes(fcntl.ioctl(handle, FS_IOC_GETFLAGS, b"\0" * 8)[:4], "little")
        fcntl.ioctl(handle, FS_IOC_SETFLAGS, (flags | IMMUTABLE).to_bytes(8, "little"))
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL):
            raise
    finally:
        os.close(handle)


def _underneath(verdict: Verdict, _: FoundDisk) -> None:
    path = verdict.declared.mount_path

    def below() -> None:
        run("umount", "--lazy", "--all-targets", path)
        _make_immutable(path)

    apart(below, 60, own_mounts=True)


def _fstab(verdict: Verdict, disk: FoundDisk) -> None:
    uuid = verdict.filesystem or next(part.filesystem.uuid for part in disk.partitions if part.filesystem)
    before = text_of(FSTAB)
    mode = os.stat(FSTAB).st_mode & 0o777 if os.path.exists(FSTAB) else 0o644
    declared = verdict.declared
    lines = [line for line in fstab_lines(before) if fstab_fields(line)[1].rstrip("/") == declared.mount_path]
    line = adopted_line(declared, uuid, lines)
    write_safely(FSTAB, mended_fstab(before, declared.name, declared.mount_path, line), mode)
    answer(["systemctl", "daemon-reload"], WORK_SECONDS)


def mended_fstab(before: str, name: str, mount_path: str, line: str) -> str:
    """The file with this line for the path: in place of our own line, else beside the operator's, kept as a comment."""
    note = f"{MARK} disk {re.sub('[^ -~]', '?', name)}"
    kept: List[str] = []
    written = False
    for old in before.splitlines(keepends=True):
        bare = old.rstrip("\r\n")
        names_path = not bare.lstrip().startswith("#") and fstab_fields(bare)[1].rstrip("/") == mount_path
        if not names_path:
            kept.append(old)
            continue
        if kept and kept[-1].rstrip("\n") == note:
            kept.pop()
        else:
            kept.append(f"{MARK} replaced: {bare}\n")
        if not written:
            kept += [note + "\n", line + "\n"]
        written = True
    if not written:
        kept += ["" if not kept or kept[-1].endswith("\n") else "\n", note + "\n", line + "\n"]
    return "".join(kept)


def _mount(verdict: Verdict, _: FoundDisk) -> None:
    run("mount", verdict.declared.mount_path, seconds=WORK_SECONDS)


def _label(verdict: Verdict, disk: FoundDisk) -> None:
    label = label_of(verdict.declared.name, disk.serial)
    if not apart(lambda: _label_by_kernel(verdict.declared.mount_path, label), WORK_SECONDS):
        _label_by_tool(verdict, disk, label)
    run("sync", "--file-system", verdict.declared.mount_path, seconds=WORK_SECONDS)


def _label_by_kernel(mount_path: str, label: str) -> bool:
    handle = os.open(mount_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(handle, FS_IOC_SETFSLABEL, label.encode().ljust(256, b"\0"))
        os.fsync(handle)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _label_by_tool(verdict: Verdict, disk: FoundDisk, label: str) -> None:
    path = next(volume.path for volume in disk.volumes if verdict.declared.mount_path in volume.mounts)
    if verdict.declared.filesystem == "ext4":
        run("e2label", path, label)
    else:
        run("xfs_io", "-c", f"label -s {label}", verdict.declared.mount_path)


def _config(verdict: Verdict, _: FoundDisk) -> None:
    apart(lambda: os.unlink(os.path.join(verdict.declared.mount_path, CONFIG)), WORK_SECONDS)
    note = "if Longhorn already knows a UUID of this disk, take the disk out of its Node object first (F12)"
    say(step="config", status="note", disk=verdict.declared.name, seen=note)


TASKS: Dict[str, Callable[[Verdict, FoundDisk], None]] = {
    "wipe": _wipe,
    "partition": _partition,
    "format": _format,
    "finish": _finish,
    "mountpoint": _mountpoint,
    "fstab": _fstab,
    "mount": _mount,
    "label": _label,
    "config": _config,
    "underneath": _underneath,
}
