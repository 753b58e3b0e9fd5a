"""What k3s is configured with on one machine, by the description and by what systems ask for.

Not in it: a node's name, addresses, labels and taints, which its preparation writes, and how it joins (token, server,
cluster-init), which is decided when it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.catalog.k3s_options import Options, Role, options_of
from fluxstead.core.network import IpNetwork
from fluxstead.core.version import Version
from fluxstead.nodes.model import Node
from fluxstead.tree.asks import HostSetting


class K3sSettings(NamedTuple):
    """What a description says of k3s, as far as it is k3s's configuration (`fluxstead:kubernetes`, which has the defaults).

    `snapshots`: when etcd is copied, and how many copies are kept.
    """

    version: Version
    disable: Sequence[str]
    pod_networks: Sequence[IpNetwork]
    service_networks: Sequence[IpNetwork]
    names: Sequence[str]
    """More of them in the API server's certificate than it has by itself."""
    secrets_encryption: bool
    snapshots: tuple[str, int] | None
    config: Mapping[str, Any]


_NAME, _FIXED = "the name of the machine's file in nodes/", "nothing: fluxstead and its machines know only k3s's own"
_STORE = "etcdSnapshots: {s3ConfigSecret: NAME}; the Secret of that name has it"
_ALL_PARTS = "nothing: every server would be without it, and the cluster would not start"
_OPERATORS = "nothing: the token is the operator's secret k3s-token, which ./run secrets asks for"
SAID_ELSEWHERE: Mapping[str, str] = {
    "node-name": _NAME,
    "with-node-id": _NAME,
    "node-ip": "address and secondAddress in the machine's file",
    "node-label": "labels in the machine's file",
    "node-taint": "taints in the machine's file",
    "advertise-address": "address in the machine's file, which each server advertises by itself",
    "disable-agent": "nothing: each machine of the description is a node",
    "disable-apiserver": _ALL_PARTS,
    "disable-controller-manager": _ALL_PARTS,
    "disable-etcd": _ALL_PARTS,
    "disable-scheduler": _ALL_PARTS,
    "token": _OPERATORS,
    "token-file": _OPERATORS,
    "agent-token": _OPERATORS,
    "agent-token-file": _OPERATORS,
    "server": "nothing: `pulumi up` finds the server to join",
    "cluster-init": "datastore: etcd",
    "cluster-reset": "nothing: k3s would do it again at each start",
    "cluster-reset-restore-path": "nothing: k3s would do it again at each start",
    "datastore-endpoint": "datastore: sqlite or etcd",
    "datastore-cafile": "datastore: sqlite or etcd",
    "datastore-certfile": "datastore: sqlite or etcd",
    "datastore-keyfile": "datastore: sqlite or etcd",
    "cluster-cidr": "podCidr",
    "service-cidr": "serviceCidr",
    "disable": "disable, beside config",
    "tls-san": "tlsSan",
    "secrets-encryption": "secretsEncryption",
    "etcd-snapshot-schedule-cron": "etcdSnapshots: {schedule: …}",
    "etcd-snapshot-retention": "etcdSnapshots: {retention: …}",
    "private-registry": "registryMirrors",
    "etcd-s3-config-secret": "etcdSnapshots: {s3ConfigSecret: NAME}",
    "etcd-s3-access-key": _STORE,
    "etcd-s3-secret-key": _STORE,
    "etcd-s3-session-token": _STORE,
    "vpn-auth": "vpn-auth-file: a file on the machine",
    "config": _FIXED,
    "data-dir": _FIXED,
    "https-listen-port": _FIXED,
    "supervisor-port": _FIXED,
    "apiserver-port": _FIXED,
    "write-kubeconfig": _FIXED,
    "rootless": _FIXED,
}
"""The keys of k3s that `config` does not take, and what says the same."""


def configuration(described: K3sSettings, node: Node, settings: Sequence[HostSetting] = ()) -> dict[str, Any]:
    """The keys of k3s's configuration file on this machine: those that its role knows.

    Of a key that takes several values, all of them; of any other, what `config` says comes last.
    """
    known = options_of(described.version)
    found = _of_the_cluster(described)
    for setting in settings:
        _add(found, setting.key, setting.value, known)
    for key, value in described.config.items():
        _add(found, key, value, known)
    return {key: value for key, value in found.items() if node.role in _who_knows(key, known)}


def registries(mirrors: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What registries.yaml holds; empty where there is to be none (docs.k3s.io: installation/private-registry)."""
    return {"mirrors": {registry: {"endpoint": list(urls)} for registry, urls in mirrors.items()}} if mirrors else {}


def _of_the_cluster(described: K3sSettings) -> dict[str, Any]:
    found: dict[str, Any] = {"tls-san": list(described.names)} if described.names else {}
    found["cluster-cidr"] = ",".join(map(str, described.pod_networks))
    found["service-cidr"] = ",".join(map(str, described.service_networks))
    if described.disable:
        found["disable"] = list(described.disable)
    if described.secrets_encryption:
        found["secrets-encryption"] = True
    if described.snapshots:
        found["etcd-snapshot-schedule-cron"], found["etcd-snapshot-retention"] = described.snapshots
    return found


def _add(found: dict[str, Any], key: str, value: Any, known: Options) -> None:
    if known.types.get(key) == "list":
        found[key] = list(dict.fromkeys([*found.get(key, ()), *listed(value)]))
    else:
        found[key] = value


def listed(value: Any) -> list[Any]:
    """The values of a key that takes several, however they were written."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _who_knows(key: str, known: Options) -> frozenset[Role]:
    """A server leaves out what it does not know, and an agent does not start."""
    return known.roles.get(key, frozenset({"server"}))
