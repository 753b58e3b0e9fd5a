"""What a committed description said of the cluster itself. It was right for the program of its time, so it is read, not judged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from fluxstead.checks.reading.committed import ClusterThen
from fluxstead.checks.reading.store import Store
from fluxstead.core.network import IpNetwork
from fluxstead.core.shape import entries_of, mapping
from fluxstead.core.version import Version
from fluxstead.description.kubernetes import KubernetesSettings
from fluxstead.description.load import PROJECT

_NETWORKS = {"podCidr": "pod_cidr", "serviceCidr": "service_cidr"}

_KEPT = {"datastore": "datastore", "secretsEncryption": "secrets_encryption"}


def kept(kubernetes: KubernetesSettings) -> dict[str, str]:
    """What a cluster keeps from its first start, by key, as it is written."""
    return {key: _written(getattr(kubernetes, field)) for key, field in _KEPT.items()}


def cluster_then(stack: str, store: Store) -> ClusterThen | None:
    """What the stack's file and its machines' files in a commit said; None where there is no such file."""
    config = mapping(_data(store, f"Pulumi.{stack}.yaml"), "config")
    kubernetes = _section(config, "kubernetes")
    if not kubernetes:
        return None
    machines = _joined(stack, store)
    return ClusterThen(
        kubernetes=Version.read(kubernetes.get("version")),
        flux=Version.read(_section(config, "flux").get("version")),
        networks={key: found for key, field in _NETWORKS.items() if (found := _networks(kubernetes.get(key), field))},
        roles={name: str(machine.get("role")) for name, machine in machines.items()},
        kept=dict(_kept(kubernetes, machines.values())),
        taints={name: frozenset(map(_taint, entries_of(machine, "taints"))) for name, machine in machines.items()},
    )


def _kept(kubernetes: Mapping[str, Any], machines: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Before the datastore was a word of descriptions, several servers had one that SQLite cannot be."""
    servers = sum(machine.get("role") == "server" for machine in machines)
    if servers:
        for key, field in _KEPT.items():
            default = _written(KubernetesSettings.model_fields[field].default)
            if key in kubernetes or key != "datastore" or servers == 1:
                yield key, _written(kubernetes[key]) if key in kubernetes else default


def _joined(stack: str, store: Store) -> dict[str, Mapping[str, Any]]:
    """The machines that had joined, by name."""
    machines = {
        name.removesuffix(".yaml"): _data(store, f"nodes/{name}") for name in store.children("nodes") if name.endswith(".yaml")
    }
    return {
        name: machine for name, machine in machines.items() if machine.get("cluster") == stack and machine.get("state") != "planned"
    }


def _taint(said: Mapping[str, Any]) -> str:
    """As `Taint` writes it."""
    value = f"={said['value']}" if said.get("value") else ""
    return f"{said.get('key')}{value}:{said.get('effect')}"


def _networks(value: object, field: str) -> tuple[IpNetwork, ...]:
    """One, or one of each family; none where what was written is no network."""
    if value is None:
        default: tuple[IpNetwork, ...] = KubernetesSettings.model_fields[field].default
        return default
    try:
        return tuple(ip_network(part.strip()) for part in str(value).split(","))
    except ValueError:
        return ()


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(f"{PROJECT}:{name}")
    if isinstance(found, str):  # as `pulumi config set` writes it
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            return {}
    return found if isinstance(found, Mapping) else {}


def _data(store: Store, path: str) -> Mapping[str, Any]:
    found = next((document.data for document in store.documents(path)), None)
    return found if isinstance(found, Mapping) else {}


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
