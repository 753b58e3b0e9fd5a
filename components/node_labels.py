"""Node labels as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs
from fluxstead.tree.layer import Plan


class NodeLabels(pulumi.ComponentResource):
    """The labels of the Kubernetes nodes, and the service account that keeps them."""

    def __init__(self, name: str, args: SystemArgs[Plan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:node_labels:NodeLabels", name, {}, opts)
        del args  # what all components take; this one has nothing to tell of it
        self.register_outputs({})
