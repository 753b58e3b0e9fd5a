"""What a machine is told about its k3s; tokens are not part of it, and are added when something is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from fluxstead.core.network import IpAddress
from fluxstead.nodes.model import Node

RELEASES: Final = "https://github.com/k3s-io/k3s/releases/download"
"""Where k3s publishes its binaries, in a folder for each version."""
API_PORT: Final = 6443
READY_SECONDS: Final = 900
"""How long a node may take to be Ready after its k3s was started: a first start pulls images, on slow lines and small machines."""


class Release(NamedTuple):
    """Which k3s is installed, and where it comes from."""

    version: str
    digests: Mapping[str, str]
    """SHA-256 by architecture."""
    source: str
    """A URL laid out as k3s's releases are, or a folder of the operator's machine."""


def told(node: Node, release: Release, datastore: str, config: Mapping[str, Any], registries: Mapping[str, Any]) -> dict[str, Any]:
    """What the script takes, as it is described; how it begins, and with which token, is decided when something is done."""
    return {
        "version": release.version,
        "role": node.role,
        "datastore": datastore,
        "digests": dict(release.digests),
        "source": release.source,
        "config": dict(config),
        "registries": dict(registries),
        "seconds": READY_SECONDS,
    }


def sent(told: Mapping[str, Any], **more: object) -> dict[str, Any]:
    """What the script takes of it: where a folder is on the operator's machine is nothing to the host."""
    return {**{key: value for key, value in told.items() if key != "source"}, **more}


def looked_for(told: Mapping[str, Any]) -> dict[str, Any]:
    """What it takes to say how k3s stands, and what would be done: nothing is decided, and no token is told."""
    url = release_url(told["source"], told["version"])
    return sent(told, begin="look", **({"url": url} if url else {}))


def api_of(described: object, servers: Sequence[Node]) -> str:
    """Where people and machines reach the API: at the described address, else at the first server's; empty without either."""
    address = described or (servers[0].address if servers else None)
    return url_of(str(address)) if address else ""


def url_of(address: IpAddress | str) -> str:
    """The API server at an address or a name."""
    text = str(address)
    return f"https://[{text}]:{API_PORT}" if ":" in text else f"https://{text}:{API_PORT}"


def is_url(source: str) -> bool:
    """Whether the machine fetches the binary itself; else it is sent from a folder."""
    return "://" in source


def release_url(source: str, version: str) -> str:
    """The folder of one version; empty where the binary is sent."""
    return f"{source.rstrip('/')}/{quote(version)}/" if is_url(source) else ""
