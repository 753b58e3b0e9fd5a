"""Applications as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs
from fluxstead.tree.layer import Plan


class Applications(pulumi.ComponentResource):
    """The applications, a layer for each environment. `addresses` says where each is reached."""

    def __init__(self, name: str, args: SystemArgs[Plan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:applications:Applications", name, {}, opts)
        self.addresses = args.addresses
        self.register_outputs({"addresses": self.addresses})
