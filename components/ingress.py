"""The ingress controller as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs
from fluxstead.tree.layer import Plan


class Ingress(pulumi.ComponentResource):
    """The ingress controller, which answers for the routes of all systems."""

    def __init__(self, name: str, args: SystemArgs[Plan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:ingress:Ingress", name, {}, opts)
        args.adopted_by(self)
        self.register_outputs({})
