"""What the components of all systems share: their arguments, and how their layers become resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """How layers hang together: the tree, the hosts they come after, and the layers registered so far, by name."""

    tree: Tree
    hosts: Sequence[pulumi.Resource] = ()
    registered: dict[str, LayerResource] = field(default_factory=dict)


@dataclass(frozen=True)
class SystemArgs(Generic[PlanT_co]):
    """A system's plan, and the wiring that its layers are registered with."""

    plan: PlanT_co
    wiring: Wiring


def register_layers(system: pulumi.ComponentResource, args: SystemArgs[Plan]) -> Mapping[str, LayerResource]:
    """Register the plan's layers as children of `system`, each after the hosts and the layers that it waits for."""
    wiring = args.wiring
    own = {layer.name for layer in args.plan.layers}
    for layer in wiring.tree.order.layers:
        if layer.name in own:
            after = [_node_of(wiring.registered[name]) for name in wiring.tree.order.dependencies(layer.name)]
            wiring.registered[layer.name] = LayerResource(
                layer.name,
                LayerArgs({file.path: file.text for file in wiring.tree.by_layer[layer.name]}),
                pulumi.ResourceOptions(parent=system, depends_on=[*wiring.hosts, *after]),
            )
    return {name: wiring.registered[name] for name in own}


def _node_of(layer: LayerResource) -> pulumi.Output[pulumi.Resource]:
    """The layer as a node of the engine's graph.

    The SDK takes a local component in `depends_on` for its children, and a layer has none, so its edge would vanish
    (pulumi/pulumi#8721); by its URN it is kept.
    """
    return layer.urn.apply(DependencyResource)
