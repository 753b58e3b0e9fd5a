"""Reading the host as it is now: sysfs, udev's database, mounts, /etc/fstab, and the devices themselves."""

from __future__ import annotations

import fcntl
import glob
import json
import os
import re
from dataclasses import replace
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple

from fluxstead.hosts.script.decide import identify
from fluxstead.hosts.script.gpt import edges, parse
from fluxstead.hosts.script.look import LOOK_OPTIONS, look
from fluxstead.hosts.script.model import MIB, Declared, Disk, Host, Node, Place, Signature, Volume
from fluxstead.hosts.script.text import fstab_fields
from fluxstead.hosts.script.tools import RefusedError, StepError, answer, apart, opened, run
from fluxstead.hosts.script.wipe import content_digest, half_wiped

DISK_SECONDS = 60
"""A disk that takes longer to answer the simplest questions is dead."""
SYSTEM_PATHS = (
    *("/", "/boot", "/boot/efi", "/efi", "/etc", "/home", "/opt", "/root", "/usr"),
    *("/var", "/var/lib", "/var/log", "/var/lib/rancher", "/var/lib/kubelet", "/etc/rancher"),
)
"""A disk that holds one of these is the system's, and k3s' data is as good as the system."""
K3S_DATA = "/var/lib/rancher"
LONGHORN_VOLUME = ("IET", "VIRTUAL-DISK")
"""Vendor and model that the host sees of a volume that is attached to it."""
FSTAB = "/etc/fstab"
FS_IOC_GETFLAGS = 0x80086601
IMMUTABLE = 0x10


class Mount:
    """One line of /proc/self/mountinfo."""

    def __init__(self, line: str) -> None:
        left, right = line.split(" - ", 1)
        fields, kind = left.split(), right.split()
        self.number, self.root, self.path = fields[2], fields[3], _unescape(fields[4])
        self.kind, self.source = kind[0], _unescape(kind[1])
        self.read_only = "ro" in fields[5].split(",") or "ro" in kind[2].split(",")


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)


def text_of(path: str) -> str:
    """A small file's text, empty when it is not there."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def read_host(node: Node, only: str = "", before: Optional[Host] = None) -> Host:
    """The host as it is now, with a deep look at each disk that a declaration names.

    With `only`, that of one declared name; the content of other disks is then taken as it was `before`.
    """
    answer(["udevadm", "settle", "--timeout=30"])
    reader = _Reader()
    chosen = [declared for declared in node.disks if declared.name == only or not only]
    bare = [identity(name) for name in sorted(os.listdir("/sys/block")) if _is_disk(name)]
    named = [identify(declared, Host(tuple(bare), {}, {}))[0] for declared in chosen]
    earlier = {(disk.path, disk.serials): disk for disk in before.disks} if before else {}
    shallow = [
        reader.contents(disk) if disk in named or not before else earlier.get((disk.path, disk.serials), disk) for disk in bare
    ]
    host = Host(tuple(shallow), {}, _uuids(shallow))
    deep: Dict[str, Disk] = {}
    places: Dict[str, Place] = {}
    for declared in chosen:
        found = identify(declared, host)[0]
        try:
            places[declared.mount_path] = reader.place(declared.mount_path)
            if found is not None and not found.dead:
                deep[found.path] = reader.deepen(found, declared)
        except StepError as error:
            # One disk that hangs keeps nobody from hearing of the others.
            if found is not None:
                deep[found.path] = replace(found, dead=str(error))
    return Host(tuple(deep.get(disk.path, disk) for disk in shallow), places, host.uuids)


def _uuids(disks: Sequence[Disk]) -> Dict[str, Tuple[str, ...]]:
    found: Dict[str, Set[str]] = {}
    for disk in disks:
        for volume in disk.volumes:
            if volume.kind != "stacked":
                for signature in volume.signatures:
                    found.setdefault(signature.uuid, set()).add(disk.path)
    return {uuid: tuple(sorted(paths)) for uuid, paths in found.items() if uuid}


def _is_disk(name: str) -> bool:
    """A volume of Longhorn's is not one, nor is one of the paths that NVMe keeps to itself."""
    device = f"/sys/block/{name}/device"
    if not os.path.exists(device) or re.match(r"sr\d|fd\d|mmcblk\d+(boot|rpmb)", name):
        return False
    made_by = (text_of(f"{device}/vendor").strip(), text_of(f"{device}/model").strip())
    return made_by != LONGHORN_VOLUME and text_of(f"/sys/block/{name}/hidden").strip() != "1"


def _number(name: str) -> str:
    return text_of(f"/sys/class/block/{name}/dev").strip()


def _names_below(name: str) -> Iterator[str]:
    """The kernel's names of what is stacked on a device, the nearest first."""
    for holder in sorted(os.listdir(f"/sys/class/block/{name}/holders")):
        yield holder
        yield from _names_below(holder)


def identity(name: str) -> Disk:
    """Which disk it is, without reading it."""
    udev = _udev(_number(name))
    device = f"/sys/block/{name}/device"
    keys = ("ID_SCSI_SERIAL", "SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL")
    serials = [udev.get(key, "").strip() for key in keys] + [text_of(f"{device}/serial").strip()]
    wwn = udev.get("ID_WWN_WITH_EXTENSION") or udev.get("ID_WWN") or text_of(f"/sys/block/{name}/wwid").strip()
    size = int(text_of(f"/sys/block/{name}/size") or 0) * 512
    return Disk(
        f"/dev/{name}",
        tuple(sorted(f"/dev/{link}" for link in udev.get("links", "").split() if link.startswith("disk/by-id/"))),
        udev.get("ID_MODEL", "").strip() or text_of(f"{device}/model").strip(),
        tuple(dict.fromkeys(serial for serial in serials if serial)),
        wwn,
        size,
        int(text_of(f"/sys/block/{name}/queue/logical_block_size") or 512),
        (),
        read_only=text_of(f"/sys/block/{name}/ro").strip() == "1",
        dead="" if size else "it has no medium or says that its size is 0",
    )


class _Reader:
    """What is read once for all disks: mounts, swaps, /etc/fstab."""

    def __init__(self) -> None:
        self.mounts = [Mount(line) for line in text_of("/proc/self/mountinfo").splitlines()]
        self.swaps = [os.path.realpath(_unescape(line.split()[0])) for line in text_of("/proc/swaps").splitlines()[1:]]
        lines = text_of(FSTAB).splitlines()
        self.fstab = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]

    def contents(self, disk: Disk) -> Disk:
        """One disk with what lies on it, without looking into filesystems."""
        if disk.dead:
            return disk
        name = os.path.basename(disk.path)
        try:
            first, last = apart(lambda: _ends(disk), DISK_SECONDS)
            guids = parse(bytes.fromhex(first), disk.sector)
            volumes = self._volumes(name, disk, guids)
        except StepError as error:
            return replace(disk, dead=str(error))
        kind, table_name, whole = edges(disk.serial, disk.size, disk.sector, bytes.fromhex(first), bytes.fromhex(last))
        return replace(
            disk,
            volumes=volumes,
            edges=kind,
            table_name=table_name,
            table_whole=whole,
            uses=self._uses(volumes),
            stacked=tuple(volume.path for volume in volumes if volume.kind == "stacked"),
            fstab=self._fstab_of(volumes, disk.links),
        )

    def _volumes(self, name: str, disk: Disk, guids: Dict[int, Tuple[str, str]]) -> Tuple[Volume, ...]:
        volumes = [self._volume(name, "disk", 0, disk.size)]
        children = [child for child in os.listdir(f"/sys/block/{name}") if child.startswith(name)]
        numbered = sorted((int(text_of(f"/sys/block/{name}/{child}/partition")), child) for child in children)
        for number, child in numbered:
            start = int(text_of(f"/sys/class/block/{child}/start")) * 512
            volume = self._volume(child, "partition", start, int(text_of(f"/sys/class/block/{child}/size")) * 512)
            guid, label = guids.get(number, ("", ""))
            volumes.append(replace(volume, partition_guid=guid, partition_name=label))
        stacked = dict.fromkeys(held for _, child in [(0, name), *numbered] for held in _names_below(child))
        volumes.extend(
            self._volume(holder, "stacked", 0, int(text_of(f"/sys/class/block/{holder}/size")) * 512) for holder in stacked
        )
        return tuple(volumes)

    def _volume(self, name: str, kind: str, offset: int, size: int) -> Volume:
        path = f"/dev/{name}"
        number = _number(name)
        mounts = [mount for mount in self.mounts if number == mount.number or os.path.realpath(mount.source) == path]
        return Volume(
            path,
            kind,
            offset,
            size,
            signatures(path),
            tuple(dict.fromkeys(mount.path for mount in mounts)),
            any(mount.read_only for mount in mounts),
            path in self.swaps,
        )

    def _uses(self, volumes: Tuple[Volume, ...]) -> Tuple[str, ...]:
        paths = {path: self._mount_of(path) for path in (*SYSTEM_PATHS, *_k3s_data())}
        ours = {mount for volume in volumes for mount in volume.mounts}
        btrfs = {os.path.basename(os.path.dirname(folder)) for folder in _btrfs_of(volumes)}
        uses = [path for path, mount in paths.items() if mount in ours]
        kept = tuple(f"{folder}/" for folder in ("/boot", K3S_DATA, *_k3s_data()))
        uses += [mount.path for mount in self.mounts if mount.path in ours and mount.root == "/" and mount.path.startswith(kept)]
        uses += [f"swap file {swap}" for swap in self.swaps if not swap.startswith("/dev/") and self._mount_of(swap) in ours]
        kinds = {signature.type for volume in volumes for signature in volume.signatures}
        if "zfs_member" in kinds and any(mount.kind == "zfs" for mount in self.mounts):
            uses.append("a ZFS pool in use")
        if btrfs and not ours:
            uses.append("a btrfs filesystem in use")
        return tuple(dict.fromkeys(uses))

    def _mount_of(self, path: str) -> str:
        real = os.path.realpath(path)
        above = [m.path for m in self.mounts if m.path == "/" or (real + "/").startswith(m.path + "/")]
        return max(above, key=len, default="/")

    def _fstab_of(self, volumes: Tuple[Volume, ...], links: Tuple[str, ...]) -> Tuple[Tuple[str, str], ...]:
        names: Set[str] = set(links)
        for volume in volumes:
            names.add(volume.path)
            names.update(f"{key}={value}" for key, value in (("PARTUUID", volume.partition_guid),) if value)
            names.update(f"PARTLABEL={volume.partition_name}" for _ in [0] if volume.partition_name)
            for signature in volume.signatures:
                names.update(f"UUID={signature.uuid}" for _ in [0] if signature.uuid)
                names.update(f"LABEL={signature.label}" for _ in [0] if signature.label)
        found = []
        for line in self.fstab:
            source, path, _, _ = fstab_fields(line)
            if source in names or (source.startswith("/dev/") and os.path.realpath(source) in names):
                found.append((path, line))
        return tuple(found)

    def place(self, path: str) -> Place:
        """One declared mount path."""
        mounted = [mount for mount in self.mounts if mount.path == path]
        found = apart(lambda: _folder(path, bool(mounted)), DISK_SECONDS, own_mounts=bool(mounted))
        device = os.path.realpath(mounted[-1].source) if mounted else ""
        lines = tuple(line for line in self.fstab if fstab_fields(line)[1].rstrip("/") == path)
        subfolder = bool(mounted) and mounted[-1].root != "/"
        return Place(device, subfolder, found["real"], tuple(found["entries"]), found["immutable"], lines)

    def deepen(self, disk: Disk, declared: Declared) -> Disk:
        """A disk with what only a closer look tells; what the system lives on is not looked into."""
        if disk.uses:
            return disk
        volumes = list(disk.volumes)
        if len(volumes) == 1 and not volumes[0].signatures:
            volumes[0] = replace(volumes[0], signatures=_hidden(disk))
        ours = {volume.path for volume in volumes if declared.mount_path in volume.mounts}
        for index, volume in enumerate(volumes):
            # Also where another signature stands beside the filesystem's, as an old member of an array keeps one.
            kinds = [signature.type for signature in volume.signatures]
            known = [kind for kind in kinds if kind in LOOK_OPTIONS] or (kinds if volume.mounts else [])
            if known:
                mounted_at = volume.mounts[0] if volume.mounts else ""
                volumes[index] = replace(volume, look=look(volume.path, known[0], mounted_at, volume.path not in ours))
        disk = replace(disk, volumes=tuple(volumes), smart=_smart(disk.path))
        if ours:
            # No consent is asked for it, and one bad sector that the digest would meet is no reason to call it dead.
            return replace(disk, busy=True)
        try:
            digest, wiped, busy = apart(lambda: (content_digest(disk), half_wiped(disk), _busy(disk)), 2 * DISK_SECONDS)
        except StepError as error:
            return replace(disk, dead=str(error))
        return replace(disk, digest=digest, half_wiped=wiped, busy=busy)


def _udev(number: str) -> Dict[str, str]:
    found: Dict[str, str] = {}
    links = []
    for line in text_of(f"/run/udev/data/b{number}").splitlines():
        if line.startswith("S:"):
            links.append(line[2:])
        elif line.startswith("E:"):
            key, _, value = line[2:].partition("=")
            found[key] = value
    return {**found, "links": " ".join(links)}


def _ends(disk: Disk) -> Tuple[str, str]:
    with open(disk.path, "rb") as device:
        first = device.read(MIB)
        device.seek(disk.size - MIB)
        return first.hex(), device.read(MIB).hex()


def signatures(path: str) -> Tuple[Signature, ...]:
    """Everything that libblkid recognises on a device, except partition tables' protective copies."""
    out = run("wipefs", "--no-act", "--json", path, seconds=DISK_SECONDS, looks=True)
    found = json.loads(out)["signatures"] if out.strip() else []
    return tuple(
        Signature(each["type"], int(each["offset"], 16), each.get("uuid") or "", each.get("label") or "") for each in found
    )


NOTHING_FOUND = 2
"""How blkid(8) ends then; with anything else, such as 8 for more than one, there is something."""


def _hidden(disk: Disk) -> Tuple[Signature, ...]:
    """A filesystem where the first partition would begin, left behind by a table that was wiped."""
    command = ["blkid", "--probe", "--offset", str(MIB), "--output", "export", disk.path]
    status, out, err = answer(command, DISK_SECONDS, looks=True)
    if status == NOTHING_FOUND and not err:
        return ()
    fields = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    kind = fields.get("TYPE") or fields.get("PTTYPE") or "something that blkid cannot tell"
    return (Signature(kind, MIB, fields.get("UUID", ""), fields.get("LABEL", "")),)


def _busy(disk: Disk) -> bool:
    if disk.stacked or any(volume.mounts or volume.swap for volume in disk.volumes):
        return True
    try:
        os.close(opened(disk.path, alone=True))
    except RefusedError:
        return True
    return False


def _smart(path: str) -> str:
    try:
        _, out, _ = answer(["smartctl", "--health", "--json", path], 30, looks=True)
        passed = json.loads(out or "{}").get("smart_status", {}).get("passed")
    except (StepError, ValueError):
        return "not checked"
    return {True: "passed", False: "failing"}.get(passed, "not checked")


def _k3s_data() -> List[str]:
    folders = []
    for name in _config_files():
        folders += re.findall(r"^\s*[\"']?data-dir[\"']?\s*:\s*[\"']?([^\"'\n#]+)", text_of(name), re.MULTILINE)
    for name in sorted(glob.glob("/etc/systemd/system/k3s*.service*")):
        folders += re.findall(r"(?:--data-dir|K3S_DATA_DIR)[\s\\\"'=]+([^\s\\\"']+)", text_of(name))
    return [folder.strip() for folder in folders]


def _config_files() -> List[str]:
    folder = "/etc/rancher/k3s/config.yaml.d"
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return ["/etc/rancher/k3s/config.yaml", *(f"{folder}/{name}" for name in names if name.endswith((".yaml", ".yml")))]


def _btrfs_of(volumes: Tuple[Volume, ...]) -> List[str]:
    """Folders of mounted btrfs filesystems that have one of these devices."""
    names = {os.path.basename(volume.path) for volume in volumes}
    found = []
    base = "/sys/fs/btrfs"
    for uuid in os.listdir(base) if os.path.isdir(base) else []:
        devices = f"{base}/{uuid}/devices"
        if os.path.isdir(devices) and names & set(os.listdir(devices)):
            found.append(devices)
    return found


def _folder(path: str, mounted: bool) -> Dict[str, object]:
    """The folder of a mount path itself; called with mounts of its own when something is mounted on it."""
    real = os.path.realpath(path) == path and (not os.path.lexists(path) or os.path.isdir(path))
    if mounted:
        run("umount", "--lazy", "--all-targets", path)
    if not real or not os.path.isdir(path):
        return {"real": real, "entries": [], "immutable": False}
    return {"real": True, "entries": sorted(os.listdir(path))[:20], "immutable": immutable(path)}


def immutable(folder: str) -> Optional[bool]:
    """Whether the folder's immutable flag is set; None where its filesystem has no such flag."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flags = fcntl.ioctl(handle, FS_IOC_GETFLAGS, b"\0" * 8)
    except OSError:
        return None
    finally:
        os.close(handle)
    return bool(int.from_bytes(flags[:4], "little") & IMMUTABLE)
