"""What the description says that the rules about a running cluster compare it with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fluxstead.core.version import Version
from fluxstead.nodes.model import Node
from fluxstead.tree.asks import ControllerPods, SecretNeed


class RouteWanted(NamedTuple):
    """A route: where a person opens it, the layer that makes it, and the Service that it leads to."""

    name: str
    url: str
    layer: str
    namespace: str
    service: str


class Expected(NamedTuple):
    """What a cluster is compared with.

    `layers`: each of the tree, with those that it waits for. `watched`: by layer, the kinds, namespaces and names of the objects of
    others with which it becomes ready. `products`: by the catalog's names, what systems install. `needs`: the Secrets that layers
    apply, without those that are missing on purpose. `routes`: the ways in, `controllers`: the pods through which all of them lead.
    `releases`: the HelmReleases of layers, as `namespace/name`. `singles`: the charts that a cluster can have only once, by all
    their names.
    """

    cluster: str
    kubernetes: Version
    nodes: tuple[Node, ...]
    layers: Mapping[str, tuple[str, ...]]
    watched: Mapping[str, tuple[tuple[str, str, str], ...]]
    products: Mapping[str, Version]
    needs: tuple[SecretNeed, ...] = ()
    routes: tuple[RouteWanted, ...] = ()
    controllers: tuple[ControllerPods, ...] = ()
    releases: frozenset[str] = frozenset()
    singles: Mapping[str, str] = {}
