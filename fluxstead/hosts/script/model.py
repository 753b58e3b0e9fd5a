"""What is declared, what is found, and what was decided. Sizes and offsets are bytes everywhere."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

MIB = 1024 * 1024
FILESYSTEMS = ("ext4", "xfs")
LOOKED_INTO = ("ext2", "ext3", "ext4", "xfs")
"""Read by their own tools without a mount; what Longhorn keeps replicas on is among them. They also keep what tells a later change:
every mount writes their superblock or their log."""
UNTOOLED = "no tool of this host can list it"
"""Begins the problem of a look that says nothing of the filesystem."""
DEVICE_TIMEOUT = "x-systemd.device-timeout=90s"
"""How long a disk may take to appear. With `nofail` no boot waits for it, and a disk that comes later stays unmounted, so that it
is as long as systemd waits for any device (systemd.mount(5), DefaultDeviceTimeoutSec)."""
MARK = "# fluxstead:"
"""Begins every comment that this script writes into a file of the host's."""
HEAD = f"{MARK} written by fluxstead and replaced by it; change the description instead\n"
"""The first line of a file that is this script's as a whole."""


class WrongUseError(Exception):
    """The data given to the script is not what it takes."""


@dataclass(frozen=True)
class DeclaredDisk:
    """One disk as the description has it; None where the description is silent."""

    name: str
    device: Optional[str]
    serial: Optional[str]
    wwn: Optional[str]
    size: int
    """The least that the disk must have."""
    filesystem: str
    mount_path: str
    wipe: Optional[str]
    """`<serial>/<digest>`: the consent to destroy exactly that content."""


@dataclass(frozen=True)
class DeclaredStore:
    """A bucket that copies are sent to as well."""

    endpoint: str
    bucket: str
    region: str
    folder: str


@dataclass(frozen=True)
class DeclaredState:
    """How the cluster's state, which this server keeps, is copied."""

    datastore: str
    """sqlite: by this script's own program; etcd: by k3s itself."""
    folder: str
    """Where copies lie."""
    late: int
    """Seconds after which the newest copy is too old."""
    keep: int
    calendars: Tuple[str, ...]
    """systemd's words for when; none for etcd."""
    recipients: Tuple[str, ...]
    """For whom a copy is encrypted."""
    store: Optional[DeclaredStore]


@dataclass(frozen=True)
class DeclaredHost:
    """One machine as the description has it."""

    name: str
    address: Optional[str]
    disks: Tuple[DeclaredDisk, ...]
    labels: Optional[Tuple[str, ...]]
    """`key=value` for k3s; None when k3s' configuration is left alone."""
    taints: Tuple[str, ...]
    state: Optional[DeclaredState] = None
    """None where this host keeps no cluster's state, or nothing copies it."""


@dataclass(frozen=True)
class Signature:
    """What libblkid recognises at one place of a device."""

    type: str
    offset: int
    uuid: str = ""
    label: str = ""


@dataclass(frozen=True)
class Look:
    """What a read-only look into a filesystem found."""

    problem: str = ""
    """Why it could not be looked into; the rest then means nothing."""
    entries: Tuple[str, ...] = ()
    """Names in its root, without lost+found."""
    replicas: Tuple[str, ...] = ()
    """Folders that hold Longhorn replicas, relative to its root."""
    config: Optional[str] = None
    """The text of longhorn-disk.cfg; None when there is none."""
    open_to_all: bool = False
    """Others than root may write into its root folder."""
    never_mounted: bool = False
    """It is as mkfs left it."""
    dirty: bool = False
    """Its journal holds changes that only a mount brings in, so that what was read is not all."""


@dataclass(frozen=True)
class BlockDevice:
    """A block device on a disk: the whole disk, a partition, or what is stacked on one of them."""

    path: str
    kind: str
    """disk | partition | stacked"""
    offset: int
    size: int
    signatures: Tuple[Signature, ...] = ()
    mounts: Tuple[str, ...] = ()
    read_only_mount: bool = False
    swap: bool = False
    partition_guid: str = ""
    partition_name: str = ""
    look: Optional[Look] = None

    @property
    def filesystem(self) -> Optional[Signature]:
        """Its signature, when all that it carries are of one kind."""
        return self.signatures[0] if len({signature.type for signature in self.signatures}) == 1 else None


@dataclass(frozen=True)
class FoundDisk:
    """One disk of the host, as it is now."""

    path: str
    links: Tuple[str, ...]
    """Its names under /dev/disk/by-id."""
    model: str
    serials: Tuple[str, ...]
    """Every serial that the host reports for it, the one to show first."""
    wwn: str
    size: int
    sector: int
    volumes: Tuple[BlockDevice, ...]
    """The whole disk first."""
    read_only: bool = False
    dead: str = ""
    """Why it could not be read."""
    numbers: Tuple[str, ...] = ()
    """The kernel's `major:minor` of the disk and of each partition."""
    sequence: str = ""
    """The kernel's number of this appearance of a disk: another disk, or the same one plugged in again, has another."""
    doubt: str = ""
    """Why the kernel and udev do not mean the same disk."""
    confirmed: bool = False
    """The kernel itself holds an identifier of the hardware, and udev's is the same."""
    edges: str = "other"
    """First and last MiB: zero | other | table (pieces of this script's own partition table, the rest zero)."""
    table_name: str = ""
    """The name of the partition in that table."""
    table_whole: bool = False
    """Both copies of that table are intact."""
    uses: Tuple[str, ...] = ()
    """What the system itself keeps on it: mount paths, `swap`, `ZFS pool`."""
    stacked: Tuple[str, ...] = ()
    """Devices that the kernel has stacked on it: LVM, RAID, LUKS, multipath, bcache."""
    stop: Tuple[str, ...] = ()
    """What to type so that those let go."""
    held_by: Tuple[str, ...] = ()
    """Processes that have it open, or mounted in mounts of their own."""
    busy: bool = False
    """The kernel holds it or a part of it exclusively, for whatever reason."""
    smart: str = "not checked"
    """passed | failing | not checked"""
    evidence: str = ""
    """Digest of all that was read of it; read again, and compared, right before anything is written."""
    hidden: Tuple[Signature, ...] = ()
    """What would be recognised if a partition began where one used to: the filesystem that a wiped table leaves behind."""
    inside: str = ""
    """Where it is not zero between its first and its last MiB, in words."""
    digest: str = ""
    """Of its content, as a consent must name it."""
    untold: Tuple[str, ...] = ()
    """What on it tells nothing of its last change, so that a consent to it is good for one run only."""
    half_wiped: str = ""
    """The consent under which this script began to wipe it and was interrupted, when nothing else changed since."""
    fstab: Tuple[Tuple[str, str], ...] = ()
    """Lines of /etc/fstab that name something on it: (mount path, the line)."""

    @property
    def serial(self) -> str:
        """The serial to show and to write into a description, or an empty string."""
        return self.serials[0] if self.serials else ""

    @property
    def partitions(self) -> Tuple[BlockDevice, ...]:
        """Its partitions, in the order of the kernel."""
        return tuple(volume for volume in self.volumes if volume.kind == "partition")


@dataclass(frozen=True)
class Place:
    """A declared mount path, as it is now."""

    device: str = ""
    """The device mounted there, or empty."""
    subfolder: bool = False
    """What is mounted there is a folder of a filesystem, not its root."""
    real: bool = True
    """No part of the path is a symbolic link or a file."""
    entries: Tuple[str, ...] = ()
    """What lies in the folder itself, under any mount."""
    immutable: Optional[bool] = False
    """Nothing can be written into the folder itself; None when its filesystem cannot say."""
    fstab: Tuple[str, ...] = ()
    """The lines of /etc/fstab with this path."""
    own: Tuple[str, ...] = ()
    """Those of them that this script wrote."""
    units: Tuple[str, ...] = ()
    """Unit files by which systemd mounts something there, other than those that it makes of /etc/fstab."""
    automount: bool = False
    """An automount waits there."""
    below: str = ""
    """The mount of somebody else in which the folder would be made; empty when it is the system's own."""
    under: Tuple[str, ...] = ()
    """Other devices that are mounted at this very path, hidden by the last one."""


@dataclass(frozen=True)
class Host:
    """Everything that the decisions about disks rest on."""

    disks: Tuple[FoundDisk, ...]
    places: Dict[str, Place]
    uuids: Dict[str, Tuple[str, ...]]
    """Filesystem UUID to the disks that carry it."""


@dataclass(frozen=True)
class Verdict:
    """What happens to one declared disk, and why."""

    declared: DeclaredDisk
    disk: Optional[FoundDisk]
    action: str
    """nothing | mend | adopt | prepare | resume | wipe | refuse"""
    why: Tuple[str, ...]
    tasks: Tuple[str, ...] = ()
    """What is still to be done, in order; names of functions in `act`."""
    write: str = ""
    """What to write into the description, ready to paste."""
    filesystem: str = ""
    """UUID of the filesystem, once it has one."""
    notes: Tuple[str, ...] = ()


def read_node(data: Any) -> DeclaredHost:
    """The node out of its JSON; WrongUseError says which key is wrong."""
    name = _text(data, "node")
    k3s = data.get("k3s")
    labels = None if k3s is None else _texts(k3s, "nodeLabels")
    disks = tuple(_read_disk(disk) for disk in data.get("disks") or [])
    taints = () if k3s is None else _texts(k3s, "nodeTaints")
    state = None if data.get("state") is None else _read_state(data["state"])
    return DeclaredHost(name, _optional(data, "address"), disks, labels, taints, state)


def _read_state(data: Any) -> DeclaredState:
    datastore = _text(data, "datastore")
    if datastore not in ("sqlite", "etcd"):
        raise WrongUseError(f"state.datastore is {datastore!r}; it is sqlite or etcd")
    calendars, recipients = (_texts(data, key, "state") for key in ("calendars", "recipients"))
    if datastore == "sqlite" and not (calendars and recipients):
        raise WrongUseError("state: no calendars or no recipients; a copy is made at some time, and for somebody")
    folder, store = _text(data, "folder"), data.get("store")
    if not re.fullmatch(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+", folder):
        raise WrongUseError(f"state.folder is {folder!r}; it is an absolute path of plain characters")
    late, keep = (_number(data, key) for key in ("late", "keep"))
    return DeclaredState(datastore, folder, late, keep, calendars, recipients, None if store is None else _read_store(store))


def _number(data: Any, key: str) -> int:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise WrongUseError(f"state.{key} is {value!r}; it is a number from 1")
    return value


def _read_store(data: Any) -> DeclaredStore:
    words = [_text(data, key) for key in ("endpoint", "bucket", "region")]
    words.append(_optional(data, "folder") or "")
    if any(re.search(r"[^A-Za-z0-9._:/\[\]-]", word) for word in words):
        raise WrongUseError(f"state.store is {words!r}; its words are of plain characters")
    return DeclaredStore(*words)


def _read_disk(data: Any) -> DeclaredDisk:
    name = _text(data, "name")
    size = data.get("size")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise WrongUseError(f"disk {name!r}: size is {size!r}; it is a number of bytes")
    declared = DeclaredDisk(
        name,
        _optional(data, "device"),
        _optional(data, "serial"),
        _optional(data, "wwn"),
        size,
        _text(data, "filesystem"),
        _text(data, "mountPath"),
        _optional(data, "wipe"),
    )
    if declared.filesystem not in FILESYSTEMS:
        raise WrongUseError(f"disk {name!r}: filesystem is {declared.filesystem!r}; Longhorn takes ext4 and xfs")
    parts = declared.mount_path.split("/")
    if len(parts) < 2 or parts[0] or any(part in ("", ".", "..") for part in parts[1:]):
        raise WrongUseError(f"disk {name!r}: mountPath is {declared.mount_path!r}; write an absolute path without ..")
    if not (declared.device or declared.serial or declared.wwn):
        raise WrongUseError(f"disk {name!r}: nothing says which disk it is; write device, serial or wwn")
    if declared.device and not declared.device.startswith("/dev/"):
        raise WrongUseError(f"disk {name!r}: device is {declared.device!r}; it is a path under /dev")
    return declared


def _text(data: Any, key: str) -> str:
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, str) or not value or not value.isprintable():
        raise WrongUseError(f"{key} is {value!r}; it is one line of text")
    return value


def _optional(data: Any, key: str) -> Optional[str]:
    return None if data.get(key) in (None, "") else _text(data, key)


def _texts(data: Any, key: str, of: str = "k3s") -> Tuple[str, ...]:
    values: List[Any] = data.get(key) or []
    if not all(isinstance(value, str) and value.isprintable() for value in values):
        raise WrongUseError(f"{of}.{key} is {values!r}; it is a list of lines")
    return tuple(values)


def short_hash(text: str, length: int) -> str:
    """The first hexadecimal digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def label_of(name: str, serial: str) -> str:
    """The filesystem label of a disk: its name, and a mark that ties it to the hardware; XFS takes 12 bytes."""
    readable = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return f"{readable[:7]}-{short_hash(name + '/' + serial, 4)}"


def human(size: int) -> str:
    """A size as `lsblk` shows it."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.4g} {unit}"
        value /= 1024
    return f"{value:.4g} TiB"
