"""The kubeconfig of a cluster that fluxstead installed: k3s's own, with the address from outside and the cluster's name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from fluxstead.hosts.joining import NO_SERVER
from fluxstead.hosts.ssh import Errand, ask_node
from fluxstead.nodes.model import Node
from fluxstead.tree.staging import replace_files

_OWNERS = 0o600
_NAMED = ("clusters", "users", "contexts")


class NotUsableError(Exception):
    """There is no kubeconfig as k3s writes it; the message says what is wrong and holds none of it."""


def file_of(cluster: str) -> Path:
    """Where the operator's kubeconfig of this cluster lies; outside of every repository, as it holds the administrator's key."""
    return Path.home() / ".kube" / f"fluxstead-{cluster}.yaml"


def fetched(servers: Sequence[Node], root: Path, cluster: str, api: str) -> str:
    """The kubeconfig of the cluster, from the first server that has it. Raises NotUsableError."""
    why: list[str] = []
    for server in servers:
        answer = ask_node(server, root, Errand("kubeconfig"))
        if answer.kubeconfig:
            return put_right(answer.kubeconfig, cluster, api)
        why.append(f"{server.name}: {'; '.join(answer.why) or answer.status}")
    raise NotUsableError("\n".join(why) or NO_SERVER)


def put_right(text: str, cluster: str, api: str) -> str:
    """k3s's own kubeconfig (`/etc/rancher/k3s/k3s.yaml`), reaching the API at `api`, everything in it named after the cluster.

    Raises NotUsableError.
    """
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        raise NotUsableError("the server's kubeconfig is no YAML") from None
    try:
        (of_cluster,), (of_user,), (of_context,) = (found[kind] for kind in _NAMED)
        of_cluster["cluster"]["server"] = api
        of_context["context"].update(cluster=cluster, user=cluster)
        for one in (of_cluster, of_user, of_context):
            one["name"] = cluster
        certified: Any = of_cluster["cluster"]["certificate-authority-data"] and of_user["user"]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise NotUsableError("the server's kubeconfig is not one cluster, one user and one context, as k3s writes it") from None
    if not certified:
        raise NotUsableError("the server's kubeconfig has no certificate of its cluster, or no user")
    found["current-context"] = cluster
    return yaml.safe_dump(found, sort_keys=False)


def reaches(file: Path, api: str) -> bool:
    """Whether it is there and for the API at this address: another project's cluster may have the same name."""
    try:
        found = yaml.safe_load(file.read_bytes())
        return bool(found["clusters"][0]["cluster"]["server"] == api)
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError):
        return False


def write(file: Path, text: str) -> bool:
    """Put it in place, readable by its owner alone; whether anything changed. Raises NotWritten, and OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.is_file() and not file.is_symlink() and file.read_bytes() == text.encode() and file.stat().st_mode & 0o777 == _OWNERS:
        return False
    replace_files({file: text}, mode=_OWNERS)
    return True
