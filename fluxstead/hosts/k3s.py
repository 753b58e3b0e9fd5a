"""What a machine is told about its k3s; tokens are not part of it, and are added when something is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from fluxstead.catalog.k3s_releases import release_url
from fluxstead.core.network import IpAddress
from fluxstead.nodes.model import Node

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
    return sent(told, begin="look", url=release_url(told["source"], told["version"]))


def api_of(described: object, servers: Sequence[Node]) -> str:
    """Where people and machines reach the API: at the described address, else at the first server's; empty without either."""
    address = described or (servers[0].address if servers else None)
    return url_of(str(address)) if address else ""


def url_of(address: IpAddress | str) -> str:
    """The API server at an address or a name."""
    text = str(address)
    return f"https://[{text}]:{API_PORT}" if ":" in text else f"https://{text}:{API_PORT}"
