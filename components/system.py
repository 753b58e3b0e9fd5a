"""What the components of all systems share: their arguments, and how their layers become resources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import pulumi
from pulumi.resource import DependencyResource

from components.layer import LayerArgs, LayerResource
from fluxstead.tree.layer import Plan
from fluxstead.tree.render import Tree

PlanT_co = TypeVar("PlanT_co", bound=Plan, covariant=True)


@dataclass
class Wiring:
    """How layers hang together: the tree, the hosts they come after, and the system that each belongs to.

    Layers of one system wait for those of others, so that all systems are there before the first layer.
    """

    tree: Tree
    hosts: Sequence[pulumi.Resource] = ()
    _systems: dict[str, pulumi.ComponentResource] = field(default_factory=dict)

    def adopt(self, system: pulumi.ComponentResource, plan: Plan) -> None:
        """The layers of this plan will be children of this component."""
        self._systems |= {layer.name: system for layer in plan.layers}

    def register(self) -> None:
        """Register every layer after the hosts and the layers that it waits for."""
        registered: dict[str, LayerResource] = {}
        for layer in self.tree.order.layers:
            system = self._systems[layer.name]
            after = [_node_of(registered[name]) for name in self.tree.order.dependencies(layer.name)]
            registered[layer.name] = LayerResource(
                layer.name,
                LayerArgs({file.path: file.text for file in self.tree.by_layer[layer.name]}),
                pulumi.ResourceOptions(parent=system, depends_on=[*self.hosts, *after]),
            )


@dataclass(frozen=True)
class SystemArgs(Generic[PlanT_co]):
    """A system's plan, with what has become of its asks, and the wiring that its layers are registered with."""

    plan: PlanT_co
    wiring: Wiring

    def adopted_by(self, system: pulumi.ComponentResource) -> dict[str, str]:
        """Hang the plan's layers below `system`, and give where people reach what it has, by name."""
        self.wiring.adopt(system, self.plan)
        return {address.name: address.url for address in self.plan.addresses}


def _node_of(layer: LayerResource) -> pulumi.Output[pulumi.Resource]:
    """The layer as a node of the engine's graph.

    The SDK takes a local component in `depends_on` for its children, and a layer has none, so its edge would vanish
    (pulumi/pulumi#8721); by its URN it is kept.
    """
    return layer.urn.apply(DependencyResource)
