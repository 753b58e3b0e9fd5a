"""What most rules look at: one cluster's tree, and what else is known about the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fluxstead.checks.known import Known
from fluxstead.checks.objects.makers import Makers
from fluxstead.checks.objects.names import Names
from fluxstead.checks.objects.opaque import Opaque
from fluxstead.checks.objects.pods import Pods
from fluxstead.checks.reading.view import View
from fluxstead.core.findings import Source
from fluxstead.core.platform import Platform
from fluxstead.core.requirement import Requirement
from fluxstead.nodes.model import Node


@dataclass(kw_only=True)
class Subject:
    """A tree, and its cluster. A tree that people wrote has no description: then only the view is there.

    `known`: what systems say about their charts and kinds. `products`: the versions of what the cluster runs, by the names of the
    catalog's schemas. `networks` and `places`: the cluster's networks, and where keys of the stack file stand, both by key.
    `sops_secret`: namespace and name of the key to decrypt with, which somebody creates by hand. `unmet`, `blocked`: what the order
    says about the description already: layers with what they need and nothing offers, and those that wait for each other.
    """

    view: View
    known: Known
    platform: Platform | None = None
    nodes: Sequence[Node] = ()
    products: Mapping[str, str] = field(default_factory=dict)
    recipients: frozenset[str] = frozenset()
    sops_secret: tuple[str, str] | None = None
    networks: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Source] = field(default_factory=dict)
    unmet: frozenset[tuple[str, Requirement]] = frozenset()
    blocked: frozenset[str] = frozenset()

    @cached_property
    def opaque(self) -> Opaque:
        """The namespaces in which there may be more than files show."""
        return Opaque(self.view, self.known.inert_kinds)

    @cached_property
    def makers(self) -> Makers:
        """Who may create a ConfigMap or a Secret."""
        return Makers(self.view, self.opaque)

    @cached_property
    def names(self) -> Names:
        """What objects of the tree name."""
        return Names(self.view)

    @cached_property
    def pods(self) -> Pods:
        """The pod templates of the tree."""
        return Pods(self.view)

    @property
    def described(self) -> bool:
        """Whether there is a description, so that everything about the cluster is known."""
        return self.platform is not None
