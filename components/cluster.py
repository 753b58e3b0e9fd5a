"""The machines as one cluster: who begins it, who joins when, and the file by which it is reached afterwards."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.k3s import K3sResource, KubeconfigResource
from components.node import NodeResource
from fluxstead.assembly import Assembled
from fluxstead.description.state_copies import state_copies
from fluxstead.hosts.joining import NO_SERVER, servers_of
from fluxstead.hosts.k3s import api_of
from fluxstead.hosts.kubeconfig import file_of
from fluxstead.secrets.operator import digests_of
from fluxstead.secrets.operator_needs import K3S_TOKEN, SQLITE_BACKUP_S3

_WITHOUT_A_DIGEST = "the description has no digest of k3s, which ./run upgrade kubernetes --lock writes"


@dataclass(frozen=True)
class Installed:
    """What `up` brings to the machines."""

    machines: Mapping[str, K3sResource]
    kubeconfig: pulumi.Output[str]
    """The path of the operator's kubeconfig; unknown in a preview before there is a cluster."""
    after: Sequence[pulumi.Resource]


def register_k3s(assembled: Assembled, root: Path, prepared: Mapping[str, NodeResource]) -> Installed | None:
    """k3s on every machine that is prepared: the first server, the other servers one after another, then all agents at once.

    None where the description has no digest of k3s, or no server: then nothing is installed.
    """
    description, told = assembled.description, assembled.k3s
    servers = servers_of(description.nodes)
    if not told or not servers:
        if prepared:
            pulumi.log.info(f"k3s and Flux are left as they are: {NO_SERVER if told else _WITHOUT_A_DIGEST}")
        return None
    # A state goes from one machine to another, and says no path of either.
    about = {"project": os.path.relpath(root), "stack": description.name}
    token = digests_of(assembled.secrets, [K3S_TOKEN])
    # One that is still being prepared answers nobody, and a cluster is not begun before every server has answered.
    servers_prepared = [prepared[server.name].prepared for server in servers]
    machines: dict[str, K3sResource] = {}
    for server in servers:
        inputs = {**about, "k3s": told[server.name], "token": token}
        machines[server.name] = prepared[server.name].install(inputs, [*servers_prepared, *machines.values()])
    running = list(machines.values())
    kubeconfig = KubeconfigResource(
        description.name,
        {**about, "api": api_of(description.cluster.kubernetes.api_address, servers)},
        pulumi.ResourceOptions(depends_on=running[:1]),
    )
    for name, node in prepared.items():
        if name not in machines:
            machines[name] = node.install({**about, "k3s": told[name]}, running)
    path = kubeconfig.id.apply(lambda _: str(file_of(description.name)))
    return Installed(machines, path, [*machines.values(), kubeconfig])


def register_logins(assembled: Assembled, root: Path, prepared: Mapping[str, NodeResource]) -> None:
    """The login of its bucket on each prepared server that sends copies of the cluster's state there."""
    about = {"project": os.path.relpath(root), "stack": assembled.description.name}
    digest = digests_of(assembled.secrets, [SQLITE_BACKUP_S3])
    for name, told in state_copies(assembled.description).items():
        if told.get("store") and name in prepared:
            prepared[name].leave_login({**about, "login": digest, "store": told["store"]})
