"""One layer of the tree as a Pulumi resource: what `pulumi preview --diff` shows, key by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi.resource import DependencyResource

from fluxstead.tree.render import Tree


@dataclass(frozen=True)
class LayerArgs:
    """The layer's files by path below the tree's directory, as YAML text; the digests of its ciphertext by path, never a value."""

    manifests: Mapping[str, str]
    secrets: Mapping[str, str]


class LayerResource(pulumi.ComponentResource):
    """The files of one layer. Its dependencies are the hosts and the layers that its Flux Kustomization depends on."""

    def __init__(self, name: str, args: LayerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        own = {"secrets": dict(args.secrets)} if args.secrets else {}
        super().__init__("fluxstead:tree:Layer", name, {"manifests": dict(args.manifests), **own}, opts)
        self.register_outputs({})


def register_layers(
    tree: Tree, systems: Mapping[str, pulumi.Resource], hosts: Sequence[pulumi.Resource], secrets: Mapping[str, Mapping[str, str]]
) -> None:
    """Register every layer as a child of its system (by the layer's name), after the hosts and the layers that it waits for.

    `secrets`: the digests of their ciphertext, by layer and path. Layers of one system wait for those of others, so all systems
    are registered before the first layer.
    """
    registered: dict[str, LayerResource] = {}
    for layer in tree.order.layers:
        system = systems[layer.name]
        after = [_node_of(registered[name]) for name in tree.order.dependencies(layer.name)]
        registered[layer.name] = LayerResource(
            layer.name,
            LayerArgs({file.path: file.text for file in tree.by_layer[layer.name]}, secrets.get(layer.name, {})),
            pulumi.ResourceOptions(parent=system, depends_on=[*hosts, *after]),
        )


def _node_of(layer: LayerResource) -> pulumi.Output[pulumi.Resource]:
    """The layer as a node of the engine's graph.

    The SDK takes a local component in `depends_on` for its children, and a layer has none, so its edge would vanish
    (pulumi/pulumi#8721); by its URN it is kept.
    """
    return layer.urn.apply(DependencyResource)
