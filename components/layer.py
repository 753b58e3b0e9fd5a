"""One layer of the tree as a Pulumi resource: what `pulumi preview --diff` shows, key by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class LayerArgs:
    """The layer's files by path below the tree's directory, as YAML text."""

    manifests: Mapping[str, str]


class LayerResource(pulumi.ComponentResource):
    """The files of one layer. Its dependencies are the hosts and the layers that its Flux Kustomization depends on."""

    def __init__(self, name: str, args: LayerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:tree:Layer", name, {"manifests": dict(args.manifests)}, opts)
        self.register_outputs({})
