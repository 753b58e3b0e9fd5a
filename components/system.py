"""What the components of all systems share: their arguments, and how their layers become resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import pulumi
from pulumi.resource import DependencyResource

from components.layer import LayerArgs, LayerResource
from fluxstead.tree.layer import Plan
from fluxstead.tree.render import Tree

PlanT_co = TypeVar("PlanT_co", bound=Plan, covariant=True)


@dataclass(frozen=True)
class SystemArgs(Generic[PlanT_co]):
    """A system's plan, with what has become of what it asked."""

    plan: PlanT_co

    @property
    def addresses(self) -> dict[str, str]:
        """Where people reach what the system has, by name."""
        return {address.name: address.url for address in self.plan.addresses}


def register_layers(tree: Tree, systems: Mapping[str, pulumi.ComponentResource], hosts: Sequence[pulumi.Resource]) -> None:
    """Register every layer as a child of its system (by the layer's name), after the hosts and the layers that it waits for.

    Layers of one system wait for those of others, so that all systems are there before the first layer.
    """
    registered: dict[str, LayerResource] = {}
    for layer in tree.order.layers:
        system = systems[layer.name]
        after = [_node_of(registered[name]) for name in tree.order.dependencies(layer.name)]
        registered[layer.name] = LayerResource(
            layer.name,
            LayerArgs({file.path: file.text for file in tree.by_layer[layer.name]}),
            pulumi.ResourceOptions(parent=system, depends_on=[*hosts, *after]),
        )


def _node_of(layer: LayerResource) -> pulumi.Output[pulumi.Resource]:
    """The layer as a node of the engine's graph.

    The SDK takes a local component in `depends_on` for its children, and a layer has none, so its edge would vanish
    (pulumi/pulumi#8721); by its URN it is kept.
    """
    return layer.urn.apply(DependencyResource)
