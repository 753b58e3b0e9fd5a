"""What most rules look at: one cluster's tree, and what else is known about the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from fluxstead.catalog.schemas import Schemas
from fluxstead.checks.objects.chart_values import ChartValues, chart_values_in, place_of
from fluxstead.checks.objects.config_providers import ConfigProviders
from fluxstead.checks.objects.opaque_namespaces import OpaqueNamespaces
from fluxstead.checks.objects.pods import Pods
from fluxstead.checks.objects.references import References
from fluxstead.checks.objects.scaled import Scaled
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.core.findings import Source
from fluxstead.core.network import IpNetwork
from fluxstead.core.platform import Platform
from fluxstead.core.requirement import Requirement
from fluxstead.core.version import Version
from fluxstead.nodes.model import Node
from fluxstead.tree.asks import SecretNeed


@dataclass(kw_only=True)
class CheckContext:
    """A tree, and its cluster. A tree that people wrote has no description: then only the applied tree is there.

    `facts`: what systems say about their charts and kinds. `products`: the versions of what the cluster runs, by the names of the
    catalog's schemas. `networks` and `places`: the cluster's networks, and where keys of the stack file stand, both by key. `kept`:
    what else it keeps from its first start, by key. `installs_k3s`: whether `pulumi up` lets machines join.
    `sops_secret`: namespace and name of the key to decrypt with, which somebody creates by hand. `unmet`, `blocked`: what the order
    says about the description already: layers with what they need and nothing offers, and those that wait for each other.
    `description`: the texts of its files, by path. `ciphertexts`: the Secrets that the described systems need, by their files.
    `earlier`: the trees of commits, to say where something was before; what is wrong with the way from them is for a `Transition`.
    """

    tree: AppliedTree
    facts: SystemFacts
    platform: Platform | None = None
    nodes: Sequence[Node] = ()
    products: Mapping[str, Version] = field(default_factory=dict)
    recipients: frozenset[str] = frozenset()
    sops_secret: tuple[str, str] | None = None
    networks: Mapping[str, Sequence[IpNetwork]] = field(default_factory=dict)
    places: Mapping[str, Source] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    installs_k3s: bool = False
    unmet: frozenset[tuple[str, Requirement]] = frozenset()
    blocked: frozenset[str] = frozenset()
    description: Mapping[str, str] = field(default_factory=dict)
    ciphertexts: Mapping[str, SecretNeed] = field(default_factory=dict)
    earlier: Mapping[str, AppliedTree] = field(default_factory=dict)

    @cached_property
    def opaque_namespaces(self) -> OpaqueNamespaces:
        """The namespaces in which there may be more than files show."""
        return OpaqueNamespaces(self.tree, self.facts.inert_kinds)

    @cached_property
    def config_providers(self) -> ConfigProviders:
        """Who may create a ConfigMap or a Secret."""
        return ConfigProviders(self.tree, self.opaque_namespaces)

    @cached_property
    def references(self) -> References:
        """What objects of the tree name."""
        return References(self.tree)

    @cached_property
    def pods(self) -> Pods:
        """The pod templates of the tree."""
        return Pods(self.tree)

    @cached_property
    def schemas(self) -> Schemas:
        """Those of what the cluster runs; of the newest that are known, where there is no description."""
        platform = self.platform
        if platform is None:
            return _schemas(None, None, frozenset())
        return _schemas(platform.kubernetes, platform.flux, frozenset(self.products.items()))

    @cached_property
    def scaled(self) -> Scaled:
        """How many pods workloads have."""
        return Scaled(self.tree)

    @cached_property
    def chart_values(self) -> tuple[ChartValues, ...]:
        """What the tree says to charts, whoever installs them."""
        return tuple(chart_values_in(self.tree))

    def place_of(self, one: ChartValues, *keys: str) -> Source:
        """Where a chart's value stands."""
        return place_of(self.tree.store, one, keys)

    def place_in_values(self, release: AppliedObject, *keys: str) -> Source:
        """The same of a release."""
        one = next((one for one in self.chart_values if one.item is release), None)
        return self.place_of(one, *keys) if one else release.source

    @property
    def described(self) -> bool:
        """Whether there is a description, so that everything about the cluster is known."""
        return self.platform is not None


@cache
def _schemas(kubernetes: Version | None, flux: Version | None, products: frozenset[tuple[str, Version]]) -> Schemas:
    """Read and compiled once for all trees of the same versions."""
    return Schemas(kubernetes=kubernetes, flux=flux, **dict(products))
