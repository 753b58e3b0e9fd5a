"""What the system itself says of disks and folders: mounts, swap, /etc/fstab, systemd's units, k3s' data."""

from __future__ import annotations

import fcntl
import glob
import os
import re
from typing import Dict, List, Optional, Sequence, Set, Tuple

from fluxstead.hosts.script.model import MARK, BlockDevice, Place
from fluxstead.hosts.script.text import fstab_fields, fstab_lines
from fluxstead.hosts.script.tools import answer, apart, run, text_of

FOLDER_SECONDS = 60
SYSTEM_PATHS = (
    *("/", "/boot", "/boot/efi", "/efi", "/etc", "/home", "/opt", "/root", "/usr"),
    *("/var", "/var/lib", "/var/log", "/var/lib/rancher", "/var/lib/kubelet", "/etc/rancher"),
)
"""A disk that holds one of these is the system's, and k3s' data is as good as the system."""
K3S_DATA = "/var/lib/rancher"
FSTAB = "/etc/fstab"
UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
"""Of units that people and packages wrote (systemd.unit(5)); what systemd makes of /etc/fstab lies in /run/systemd/generator."""
FS_IOC_GETFLAGS = 0x80086601
IMMUTABLE = 0x10


class Mount:
    """One line of /proc/self/mountinfo."""

    def __init__(self, line: str) -> None:
        left, right = line.split(" - ", 1)
        fields, kind = left.split(), right.split()
        self.number, self.root, self.path = fields[2], fields[3], unescaped(fields[4])
        source = unescaped(kind[1])
        # What is no file has a name of its own, as a tmpfs does.
        self.kind, self.source = kind[0], os.path.realpath(source) if source.startswith("/") else source
        self.read_only = "ro" in fields[5].split(",") or "ro" in kind[2].split(",")


def unescaped(text: str) -> str:
    """A path as the kernel prints it, with its octal numbers read."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)


class MountTables:
    """What is read once for all disks."""

    def __init__(self) -> None:
        self.mounts = [Mount(line) for line in text_of("/proc/self/mountinfo").splitlines()]
        self.swaps = [os.path.realpath(unescaped(line.split()[0])) for line in text_of("/proc/swaps").splitlines()[1:]]
        text = text_of(FSTAB)
        lines = text.splitlines()
        self.fstab = fstab_lines(text)
        self.own = [line for above, line in zip(["", *lines], lines) if above.startswith(f"{MARK} disk ")]  # noqa: B905 - 3.9

    def uses(self, volumes: Tuple[BlockDevice, ...]) -> Tuple[str, ...]:
        """What the system keeps on these."""
        paths = {path: self._mount_of(path) for path in (*SYSTEM_PATHS, *_k3s_data())}
        ours = {mount for volume in volumes for mount in volume.mounts}
        btrfs = {os.path.basename(os.path.dirname(folder)) for folder in _btrfs_of(volumes)}
        uses = [path for path, mount in paths.items() if mount in ours]
        data = tuple(f"{folder}/" for folder in ("/boot", K3S_DATA, *_k3s_data()))
        uses += [mount.path for mount in self.mounts if mount.path in ours and mount.root == "/" and mount.path.startswith(data)]
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

    def fstab_of(self, volumes: Tuple[BlockDevice, ...], links: Tuple[str, ...]) -> Tuple[Tuple[str, str], ...]:
        """The lines of /etc/fstab that name one of these: (mount path, the line)."""
        names: Set[str] = set(links)
        for volume in volumes:
            names.add(volume.path)
            named = [("PARTUUID", volume.partition_guid), ("PARTLABEL", volume.partition_name)]
            named += [("UUID", signature.uuid) for signature in volume.signatures]
            named += [("LABEL", signature.label) for signature in volume.signatures]
            names.update(f"{key}={value}" for key, value in named if value)
        found = []
        for line in self.fstab:
            source, path, _, _ = fstab_fields(line)
            if source in names or (source.startswith("/dev/") and os.path.realpath(source) in names):
                found.append((path, line))
        return tuple(found)

    def place(self, path: str) -> Place:
        """One declared mount path."""
        mounted = [mount for mount in self.mounts if mount.path == path and mount.kind != "autofs"]
        found = apart(lambda: _folder(path, bool(mounted)), FOLDER_SECONDS, own_mounts=bool(mounted))
        lines = tuple(line for line in self.fstab if fstab_fields(line)[1].rstrip("/") == path)
        system = {self._mount_of(each) for each in SYSTEM_PATHS}
        around = self._mount_of(os.path.dirname(path))
        return Place(
            mounted[-1].source if mounted else "",
            bool(mounted) and mounted[-1].root != "/",
            found["real"],
            tuple(found["entries"]),
            found["immutable"],
            lines,
            own=tuple(line for line in lines if line in self.own),
            units=_units(path),
            automount=any(mount.path == path and mount.kind == "autofs" for mount in self.mounts),
            below="" if around in system else around,
            under=tuple(dict.fromkeys(mount.source for mount in mounted if mount.number != mounted[-1].number)),
        )


def _units(path: str) -> Tuple[str, ...]:
    status, out, _ = answer(["systemd-escape", "--path", "--suffix=mount", path])
    name = out.strip()
    if status or not name:
        return ()
    names = (name, name[: -len("mount")] + "automount")
    return tuple(file for folder in UNIT_FOLDERS for file in (f"{folder}/{each}" for each in names) if os.path.lexists(file))


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


def _btrfs_of(volumes: Sequence[BlockDevice]) -> List[str]:
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
    # Not where a later mount on a folder above hides it.
    if mounted and os.path.ismount(path):
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
