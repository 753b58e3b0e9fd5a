"""The ingress controller as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs
from fluxstead.tree.layer import Plan


class Ingress(pulumi.ComponentResource):
    """The ingress controller, which answers for the routes of all systems."""

    def __init__(self, name: str, args: SystemArgs[Plan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:ingress:Ingress", name, {}, opts)
        del args  # what all components take; this one has nothing to tell of it
        self.register_outputs({})
