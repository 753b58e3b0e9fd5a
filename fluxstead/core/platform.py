"""What every system has to know about the cluster it runs on."""

from __future__ import annotations

from typing import NamedTuple

from fluxstead.core.network import IpNetwork
from fluxstead.core.requirement import GroupKind
from fluxstead.core.version import Version

FLUX_NAMESPACE = "flux-system"
"""Where `flux bootstrap` puts Flux, its source and every Kustomization of the tree."""


class Platform(NamedTuple):
    """The cluster's name, the exact versions of Flux and Kubernetes, and the parts of k3s that are disabled.

    `kinds`: custom kinds that something outside Flux brought before it. `pod_networks`: where pods have their addresses.
    `configures_etcd`: whether the servers keep the cluster in etcd, and fluxstead writes their configuration.
    """

    cluster: str
    flux: Version
    kubernetes: Version
    disabled: frozenset[str] = frozenset()
    kinds: frozenset[GroupKind] = frozenset()
    pod_networks: tuple[IpNetwork, ...] = ()
    configures_etcd: bool = False

    def flux_since(self, major: int, minor_version: int) -> bool:
        """Whether the cluster's Flux is at least this minor version."""
        return self.flux.minor >= (major, minor_version)
