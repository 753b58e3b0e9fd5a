"""What an application finds in its filesystem besides its image: volumes, config files, devices of its machine."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fluxstead.core.backup import Backups
from fluxstead.core.described import Described
from fluxstead.core.names import Name
from fluxstead.core.quantity import Size
from fluxstead.core.refusal import refuse
from fluxstead.core.text import Text
from fluxstead.systems.applications.words import OF_VOLUMES

TEMPORARY = "/tmp"  # noqa: S108 -- a path in the container
"""What an application may write to beside its volume, where the rest of its filesystem is read-only."""

# What an image has there is hidden by a volume, and nothing starts without it; the kernel's own trees cannot be mounted over.
_SYSTEM_PATHS = frozenset({"/", "/bin", "/boot", "/etc", "/lib", "/lib64", "/sbin", "/usr"})
_KERNEL_TREES = ("/dev/", "/proc/", "/sys/")


def _absolute(value: str) -> str:
    path = value.rstrip("/") or "/"
    if not value.startswith("/") or ":" in value or any(part in {"", ".", ".."} for part in path[1:].split("/") if path != "/"):
        raise refuse(
            f"{value!r} is not a path in a container",
            why="the API server refuses the pods, or what is mounted lands elsewhere",
            fix="an absolute path without ':', such as /data",
        )
    return path


def _mount_path(value: str) -> str:
    path = _absolute(value)
    if path in _SYSTEM_PATHS or f"{path}/".startswith(_KERNEL_TREES):
        raise refuse(
            f"{value!r} belongs to the image, or to the kernel",
            why="the volume, empty at first, would hide what the application needs to start",
            fix="a directory for its data alone, such as /data",
        )
    return path


# The kubelet writes these into every container, for its network (kubernetes: pkg/kubelet/kubelet_pods.go; containerd: CRI).
_OF_THE_NETWORK = frozenset({"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})


def _file_path(value: str) -> str:
    path = _absolute(value)
    if value.endswith("/") or path in _SYSTEM_PATHS | _OF_THE_NETWORK or f"{path}/".startswith(_KERNEL_TREES):
        raise refuse(
            f"{value!r} is not a config file's path",
            why="it is a directory, or belongs to the kernel or to the network that Kubernetes sets up",
            fix="the path of one file, such as /etc/app/config.yaml",
        )
    return path


# Block devices, which a hostPath volume of type CharDevice is not (kubernetes: pkg/volume/hostpath), and what else writes to them.
_DISK = re.compile(
    r"/dev/(?:[shv]d[a-z]+\d*|xvd.*|nvme.*|ng\d+n.*|mmcblk.*|mtd.*|sr\d+|loop.*|md.*|dm-.*|nbd.*|rbd.*|zd\d+|zram.*|bcache.*|drbd.*"
    r"|(?:block|bsg|disk|longhorn|mapper|zvol)/.*)"
)
_DIRECTORIES = frozenset({"/dev/bus/usb", "/dev/dri", "/dev/dvb", "/dev/input", "/dev/snd"})
"""Directories of devices that programs look through: what is in them comes and goes, or is of several numbers."""
# Directories of which nobody means all, or in which links alone are.
_NO_DEVICES = frozenset(
    {"block", "bsg", "bus", "char", "cpu", "disk", "mapper", "net", "serial", "serial/by-id", "serial/by-path", "vfio"}
)
_OF_THE_KERNEL = frozenset({"kmem", "kmsg", "mem", "port", "watchdog", "watchdog0"})
"""Its log, the machine's memory and its reset: nothing that an application is about."""
# What the runtime gives every container (opencontainers/runtime-spec: config-linux.md, default devices and filesystems).
_OF_EVERY_CONTAINER = frozenset(
    {
        *("console", "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random"),
        *("shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"),
    }
)


def _device_path(value: str) -> str:
    path = _in_dev(value)
    name = path.removeprefix("/dev/")
    if _DISK.fullmatch(path):
        raise refuse(
            f"{value!r} is a disk",
            why="disks are Longhorn's and the system's, and what writes to one past its filesystem destroys it",
            fix="volume: for data; or a character device, such as /dev/serial/by-id/usb-…",
        )
    if name in _NO_DEVICES:
        raise refuse(
            f"{value!r} is a directory",
            why="the pod would wait for a device of that name for ever",
            fix="one device in it, such as /dev/serial/by-id/usb-…, or all of " + ", ".join(sorted(_DIRECTORIES)),
        )
    if name in _OF_THE_KERNEL:
        raise refuse(
            f"{value!r} is the kernel's own",
            why="what reads or writes there has the whole machine, or stops it",
            fix="a device of the application's, such as /dev/serial/by-id/usb-…",
        )
    return path


def _in_dev(value: str) -> str:
    """A path below /dev that is no container's own; it may be called anything in there."""
    path = _absolute(value)
    if not path.startswith("/dev/"):
        raise refuse(
            f"{value!r} is not a device",
            why="every other path of a machine is its system's, or another application's data",
            fix="a path below /dev, such as /dev/serial/by-id/usb-…",
        )
    if path.removeprefix("/dev/").partition("/")[0] in _OF_EVERY_CONTAINER:
        raise refuse(
            f"{value!r} is a device of every container",
            why="it is there by itself, and another one in its place would break what uses it",
            fix="a path below /dev, such as /dev/serial/by-id/usb-…",
        )
    return path


_FOR_SEVERAL = ("/dev/dri", "/dev/fuse", "/dev/kfd", "/dev/kvm", "/dev/net/", "/dev/nvidia")
"""Devices that several programs open at once, as graphics cards; a radio's answers reach whoever reads first."""

FilePath = Annotated[str, AfterValidator(_file_path)]
Files = dict[FilePath, Text]
SecretFiles = dict[Annotated[str, AfterValidator(_mount_path)], Name]
"""Directories, each with the Secret whose keys are its files."""


class Volume(Described):
    """A volume. One pod at a time writes to it, unless it is shared. Its claim stays when the application goes."""

    instead = OF_VOLUMES
    size: Size = Field(description="The size to ask for, such as 5Gi.")
    storage_class: Name | None = Field(default=None, description="The StorageClass; by default, the cluster's.")
    mount_path: Annotated[str, AfterValidator(_mount_path)] = Field(description="Where the application finds it.")
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = Field(
        default="ReadWriteOnce", description="ReadWriteMany: pods on several machines share it; Longhorn serves it by NFS."
    )
    read_only: bool = Field(default=False, description="Whether the application only reads it.")
    backup: Backups = Field(
        default=None,
        description="[hourly]: policies beside those that every volume has; {only: [weekly]}; or {none: why}.",
    )

    @property
    def shared(self) -> bool:
        """Whether pods on several machines can have it at once."""
        return self.access_mode == "ReadWriteMany"


class NamedVolume(Volume):
    """One of several volumes."""

    name: Name = Field(description="What it is for, such as media; its claim is `<application>-<name>`.")


class Device(Described):
    """A character device of the machine, such as a radio stick, or a directory of them. The container is privileged, to open it."""

    host_path: Annotated[str, AfterValidator(_device_path)] = Field(
        description="The device on the machine, by a name that stays: /dev/serial/by-id/usb-…; or a directory of them: /dev/dri."
    )
    mount_path: Annotated[str, AfterValidator(_in_dev)] | None = Field(
        default=None, description="What the application calls it; by default, as the machine does."
    )

    @property
    def exclusive(self) -> bool:
        """Whether one program at a time can use it."""
        return not self.host_path.startswith(_FOR_SEVERAL)

    @property
    def kind(self) -> Literal["CharDevice", "Directory"]:
        """What the kubelet has to find there. Until then the pod waits; without one, the runtime makes a directory there."""
        return "Directory" if self.host_path in _DIRECTORIES else "CharDevice"

    @property
    def inside(self) -> str:
        """Where the container finds it."""
        return self.mount_path or self.host_path
