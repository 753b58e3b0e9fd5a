"""A machine's file to start from, out of what its host says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.core.names import nearest_name

_GIB = 1024**3


def node_file(cluster: str, address: str, user: str, host_key: str, inventory: tuple[Mapping[str, Any], ...]) -> str:
    """The text of `nodes/<name>.yaml`. Disks in use stand in comments, with what is on them."""
    lines = [
        f"cluster: {cluster}",
        f"address: {address}",
        "role: agent # or server",
        "state: planned # live, once `kubectl get nodes` shows it",
        "ssh:",
        f"  user: {user}",
        f"  hostKey: {host_key}" if host_key else "  # hostKey: of `ssh-keyscan -t ed25519`; without it the host is not dialled",
        "disks:",
    ]
    found = [list(_disk(disk, number)) for number, disk in enumerate(inventory, 1)]
    lines += [line for disk in found for line in disk]
    if not any(not line.lstrip().startswith("#") for disk in found for line in disk):
        lines[lines.index("disks:")] = "disks: []"
    return "\n".join(lines) + "\n"


def _disk(disk: Mapping[str, Any], number: int) -> Iterator[str]:
    name = nearest_name(f"disk{number}-{disk['serial'] or disk['path'].rpartition('/')[2]}"[:40])
    stable = sorted(disk["links"], key=lambda link: ("/wwn-" in link or "/scsi-" in link or "nvme-eui." in link, link))
    reason = _in_use(disk)
    mark = "# " if reason else ""
    if reason:
        yield f"  # {disk['path']} is in use: {reason}"
    yield f"  {mark}- name: {name} # {' '.join(filter(None, (disk['model'], disk['path'])))}"
    if stable:
        yield f"  {mark}  device: {stable[0]}"
    if disk["serial"]:
        yield f"  {mark}  serial: {json.dumps(disk['serial'])}"
    yield f"  {mark}  size: {disk['size'] // _GIB}Gi"
    yield f"  {mark}  mountPath: /mnt/longhorn/{name}"


def _in_use(disk: Mapping[str, Any]) -> str:
    parts = [*disk["uses"], *(f"mounted at {mount}" for mount in disk["mounts"])]
    contents = disk["contents"]
    if contents and contents != "blank":
        parts.append(contents if isinstance(contents, str) else ", ".join(map(str, contents)))
    return "; ".join(dict.fromkeys(parts))
