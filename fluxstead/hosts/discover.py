"""A machine's file to start from, out of what its host says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fluxstead.core.names import nearest_name
from fluxstead.hosts.answer import Answer
from fluxstead.hosts.trouble import Way

_ADDRESS = r"[0-9.]+|[0-9a-f]*:[0-9a-f:.]+"
_GIB = 1024**3
_MIB = 1024**2
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
"""By the kernel's name, as k3s's own installer reads it (k3s: install.sh, `setup_verify_arch`)."""


@dataclass(frozen=True, slots=True)
class Met:
    """How a host was reached, and what it said of the way: by these its file is written."""

    address: str
    """The host's own address, as it sees the connection; empty where it did not say."""
    dialled: str
    """Where ssh went, which is another address behind a forwarded port."""
    port: int
    user: str
    host_key: str
    architecture: str
    """As Kubernetes calls it; empty where it knows none of that name."""


def met(answer: Answer, way: Way) -> Met:
    """What the description keeps of a host that answered; what is no address or no key is left out."""
    user, _, _ = way.destination.rpartition("@")
    address = answer.address if re.fullmatch(_ADDRESS, answer.address) else ""
    key = answer.host_key if re.fullmatch(r"ssh-ed25519 [A-Za-z0-9+/]+=*", answer.host_key) else ""
    return Met(address, way.host, way.port, user, key, _ARCHITECTURES.get(answer.machine, ""))


def node_file(cluster: str, met: Met, inventory: tuple[Mapping[str, Any], ...]) -> str:
    """The text of `nodes/<name>.yaml`. Disks in use stand in comments, with what is on them."""
    lines = [
        f"cluster: {cluster}",
        f"address: {met.address or met.dialled}",
        *([f"architecture: {met.architecture}"] if met.architecture else []),
        "role: agent # or server",
        "state: planned # live: `pulumi up` prepares it; where that installs no k3s, only once `kubectl get nodes` shows it",
        "ssh:",
        *(f"  {line}" for line in _ssh(met)),
        "disks:",
    ]
    found = [list(_disk(disk, number)) for number, disk in enumerate(inventory, 1)]
    lines += [line for disk in found for line in disk]
    if not any(not line.lstrip().startswith("#") for disk in found for line in disk):
        lines[lines.index("disks:")] = "disks: []"
    return "\n".join(lines) + "\n"


def _ssh(met: Met) -> Iterator[str]:
    if met.dialled != met.address and re.fullmatch(_ADDRESS, met.dialled):
        yield f"address: {met.dialled}"
    if met.port != 22:  # noqa: PLR2004 -- sshd's own
        yield f"port: {met.port}"
    yield f"user: {_scalar(met.user)}"
    yield (
        f"hostKey: {met.host_key}" if met.host_key else "# hostKey: of `ssh-keyscan -t ed25519`; without it the host is not dialled"
    )


def _disk(disk: Mapping[str, Any], number: int) -> Iterator[str]:
    name = nearest_name(f"disk{number}-{disk['serial'] or disk['path'].rpartition('/')[2]}"[:40])
    links = [link for link in disk["links"] if re.fullmatch(r"/dev/[\w/.:+-]+", link, re.ASCII)]
    stable = sorted(links, key=lambda link: ("/wwn-" in link or "/scsi-" in link or "nvme-eui." in link, link))
    reason = _in_use(disk)
    mark = "# " if reason else ""
    if reason:
        yield f"  # {disk['path']} is in use: {_one_line(reason)}"
    yield f"  {mark}- name: {name} # {_one_line(' '.join(filter(None, (disk['model'], disk['path']))))}"
    if stable:
        yield f"  {mark}  device: {stable[0]}"
    if disk["serial"]:
        yield f"  {mark}  serial: {_scalar(disk['serial'])}"
    yield f"  {mark}  size: {_size(disk['size'])}"
    yield f"  {mark}  mountPath: /mnt/longhorn/{name}"


def _size(size: int) -> str:
    return f"{size // _GIB}Gi" if size >= _GIB else f"{size // _MIB}Mi"


def _scalar(text: str) -> str:
    """A YAML scalar that is this text, whatever is in it; JSON's strings are YAML's."""
    return text if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", text) and text.lower() not in _WORDS else json.dumps(text)


_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What YAML takes for something else than text."""


def _one_line(text: str) -> str:
    """Text that cannot end the comment that it stands in."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _in_use(disk: Mapping[str, Any]) -> str:
    parts = [*disk["uses"], *(f"mounted at {mount}" for mount in disk["mounts"])]
    contents = disk["contents"]
    if contents and contents != "blank":
        parts.append(contents if isinstance(contents, str) else ", ".join(map(str, contents)))
    return "; ".join(dict.fromkeys(parts))
