"""Node labels as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs
from fluxstead.tree.layer import Plan


class NodeLabels(pulumi.ComponentResource):
    """The labels of the Kubernetes nodes, and the service account that keeps them."""

    def __init__(self, name: str, args: SystemArgs[Plan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:node_labels:NodeLabels", name, {}, opts)
        args.adopted_by(self)
        self.register_outputs({})
