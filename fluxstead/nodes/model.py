"""Nodes and disks, as one file per machine describes them."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from fluxstead.core.described import Described
from fluxstead.core.names import LabelKey, Labels, LabelValue, Name, Tag
from fluxstead.core.network import Address, HostKey, IpAddress, Port
from fluxstead.core.quantity import Quantity, Size, SizeOrNone
from fluxstead.core.refusal import refuse
from fluxstead.nodes.device import Device, contradiction

# k3s, Longhorn's own default data path and the system live here; a data disk mounted over them would hide them (failure F24).
_SYSTEM_PATHS = ("/", "/home", "/mnt", "/media", "/opt", "/srv", "/var", "/var/lib", "/var/log")
_SYSTEM_TREES = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp", "/usr"),  # noqa: S108
    *("/var/lib/kubelet", "/var/lib/longhorn", "/var/lib/rancher", "/var/run", "/var/tmp"),  # noqa: S108 -- names, not files
)


def _mount_path(value: str) -> str:
    if not value.startswith("/") or "//" in value or any(part in {".", ".."} for part in value.split("/")):
        raise refuse(
            f"{value!r} is not an absolute path",
            why="Longhorn and fstab find the disk by it",
            fix="a path such as /mnt/longhorn/sdf1",
        )
    path = value.rstrip("/") or "/"
    if path in _SYSTEM_PATHS or any(f"{path}/".startswith(f"{tree}/") for tree in _SYSTEM_TREES):
        raise refuse(
            f"{value!r} belongs to the system",
            why="a disk mounted there would hide what k3s and the host keep in it, or volumes would fill the root filesystem (F24)",
            fix="a directory of its own, such as /mnt/longhorn/sdf1",
        )
    if any(not (character.isalnum() or character in "/._-") for character in path):
        raise refuse(
            f"{value!r} has characters that fstab cannot hold unescaped",
            why="a wrong fstab line leaves the disk unmounted, and replicas on the root filesystem",
            fix="letters, digits, '/', '.', '_' and '-' only",
        )
    return path


def _consent(value: str) -> str:
    serial, _, digest = value.rpartition("/")
    if serial and digest and all(character in "0123456789abcdef" for character in digest):
        return value
    raise refuse(
        f"{value!r} is not a consent to wipe",
        why="only this content of this disk may go, never whatever the disk holds one day (U2)",
        fix="<serial>/<digest>, as the refusal of `./run hosts plan` prints it",
    )


def _user(value: str) -> str:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9._-]*", value):
        return value
    raise refuse(
        f"{value!r} is not the name of a user",
        why="ssh would take it for an option, or hand it to a shell on the way through a jump host",
        fix="letters, digits, '.', '_' and '-', not first a '-'",
    )


_TAINT = r"(?P<key>[^=:]+)(?:=(?P<value>[^:]*))?:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute)"

_User = Annotated[str, AfterValidator(_user)]


class Disk(Described):
    """One data disk of a machine, for Longhorn."""

    name: Name = Field(
        description="The disk's key in Longhorn's Node object. It stays for the disk's life: a renamed key is a removed disk (F28)."
    )
    device: Device | None = Field(default=None, description="/dev/disk/by-id/… or, with a serial beside it, /dev/sdX (U1).")
    serial: str | None = Field(default=None, min_length=1, description="As `lsblk -o NAME,SERIAL` shows it.")
    wwn: str | None = Field(default=None, min_length=1, description="The World Wide Name, as `lsblk -o NAME,WWN` shows it.")
    size: Size = Field(description="The least size of the disk; a smaller one is another disk.")
    filesystem: Literal["ext4", "xfs"] = Field(default="ext4", description="The filesystem on the disk.")
    mount_path: Annotated[str, AfterValidator(_mount_path)] = Field(description="Where the disk's filesystem is mounted.")
    tags: tuple[Tag, ...] = Field(default=(), description="What volumes may ask for through a StorageClass.")
    reserved: SizeOrNone = Field(
        default=Quantity("0"), description="Space on the disk that Longhorn leaves to others (its storageReserved)."
    )
    wipe: Annotated[str, AfterValidator(_consent)] | None = Field(
        default=None,
        description="Consent to destroy exactly this content of this disk: <serial>/<digest>, as the refusal prints it (U2).",
    )
    scheduling: bool = Field(default=True, description="Whether Longhorn may place new replicas here.")
    evict: bool = Field(default=False, description="Move this disk's replicas elsewhere. Turns scheduling off.")

    @field_validator("tags")
    @classmethod
    def _sorted_and_unique(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(tags)))

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if self.device is None and self.serial is None and self.wwn is None:
            raise refuse(
                f"disk {self.name!r} has neither device nor serial nor wwn",
                why="the disk to prepare has to be found beyond doubt (U1)",
                fix="serial: … (from `lsblk -o NAME,SERIAL`) or device: /dev/disk/by-id/…",
            )
        return self

    @model_validator(mode="after")
    def _is_one_disk(self) -> Self:
        wrong = contradiction(self.device, self.serial, self.wwn) if self.device else None
        if wrong:
            raise refuse(
                f"disk {self.name!r} has another {wrong} than its link {self.device} says",
                why="they are two disks, and the wrong one might be prepared (U1)",
                fix=f"the {wrong} of that disk, from `lsblk -o NAME,SERIAL,WWN`, or the link of the disk with this {wrong}",
            )
        return self

    @model_validator(mode="after")
    def _reserves_less_than_it_has(self) -> Self:
        if self.reserved.bytes >= self.size.bytes:
            raise refuse(
                f"disk {self.name!r} reserves {self.reserved} of {self.size}",
                why="Longhorn could place nothing on it",
                fix="a reserved quantity smaller than size, such as 25Gi",
            )
        return self


SSH_PORT = 22
"""sshd's own."""


class Jump(Described):
    """A host on the way to the machine."""

    address: Address = Field(description="The jump host's IP address.")
    user: _User = Field(default="root", description="The user to log in as.")
    port: Port = Field(default=SSH_PORT, description="The port of its sshd.")
    host_key: HostKey = Field(description="One line of `ssh-keyscan -t ed25519 HOST` without the host.")


class Ssh(Described):
    """How the machine is reached to prepare it."""

    address: Address | None = Field(default=None, description="Where sshd is reached, if not at the node's address.")
    user: _User = Field(default="root", description="The user to log in as; others than root use `sudo -n`.")
    port: Port = Field(default=SSH_PORT, description="The port of sshd.")
    host_key: HostKey | None = Field(
        default=None,
        description="One line of `ssh-keyscan -t ed25519 HOST` without the host; without it the host is not dialled.",
    )
    private_key_file: str | None = Field(
        default=None, min_length=1, description="A file with the private key; by default, the keys of the SSH agent."
    )
    jump: Jump | None = Field(default=None, description="A host to go through.")


class Taint(Described):
    """A taint, given to k3s when the node registers. Flux never writes taints (F10)."""

    key: LabelKey
    value: LabelValue = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]

    @model_validator(mode="before")
    @classmethod
    def _not_as_kubectl_has_it(cls, value: Any) -> Any:
        match = re.fullmatch(_TAINT, value) if isinstance(value, str) else None
        if match is None:
            return value
        of_key = f", value: {json.dumps(match['value'])}" if match["value"] else ""
        raise refuse(
            f"the taint {value!r} is written as kubectl has it",
            why="key, value and effect are checked each by itself",
            fix=f"{{key: {match['key']}{of_key}, effect: {match['effect']}}}",
        )

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"

    @property
    def repels(self) -> bool:
        """Whether pods that do not tolerate it stay away; PreferNoSchedule is only a wish."""
        return self.effect != "PreferNoSchedule"


class Node(Described):
    """One machine. Its name is the name of its file."""

    name: Name = Field(exclude=True, description="The file's name without .yaml.")
    cluster: Name = Field(description="The stack that the machine belongs to.")
    address: Address = Field(description="The node's IP address.")
    second_address: Address | None = Field(default=None, description="Its address of the other family, in a dual-stack cluster.")
    architecture: Literal["amd64", "arm64", "arm"] | None = Field(
        default=None, description="Its processors', as Kubernetes calls it; said, images that are not built for it are told of."
    )
    role: Literal["server", "agent"] = Field(description="Whether k3s runs the control plane here.")
    state: Literal["planned", "live", "leaving"] = Field(
        description="planned: not joined yet; live; leaving: nothing is scheduled and Longhorn moves its replicas away."
    )
    rejoin: bool = Field(
        default=False,
        description="Consent: this server lost its data, and joins the cluster that the other servers run.",
    )
    prepare: bool = Field(default=True, description="Whether `pulumi up` prepares the machine; false leaves it alone.")
    ssh: Ssh = Field(default_factory=Ssh)
    labels: Labels = Field(default_factory=dict, description="Labels of the Kubernetes Node.")
    taints: tuple[Taint, ...] = Field(default=(), description="Taints of the Kubernetes Node, at registration.")
    disks: tuple[Disk, ...] = Field(default=(), description="The data disks that Longhorn uses.")

    @model_validator(mode="after")
    def _rejoins_as_a_server(self) -> Self:
        if self.rejoin and self.role == "agent":
            raise refuse(
                f"{self.name} is an agent, and is to rejoin as a server",
                why="an agent has no data of the cluster to lose: it joins again by itself",
                fix="no rejoin",
            )
        return self

    @property
    def joined(self) -> bool:
        """Whether the node is in the cluster, so that objects for it may exist (Longhorn deletes a Node that has none)."""
        return self.state != "planned"

    @property
    def dialled_at(self) -> IpAddress:
        """The address of the machine's sshd."""
        return self.ssh.address or self.address

    @property
    def why_not_prepared(self) -> str | None:
        """Why `pulumi up` does not dial the machine; None where it does."""
        if self.state != "live":
            return f"state: {self.state}"
        if not self.prepare:
            return "prepare: false"
        return None if self.ssh.host_key else "no ssh.hostKey"
