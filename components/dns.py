"""Names inside the cluster as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs
from fluxstead.tree.layer import Plan


class Dns(pulumi.ComponentResource):
    """The names that CoreDNS answers inside the cluster."""

    def __init__(self, name: str, args: SystemArgs[Plan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:dns:Dns", name, {}, opts)
        args.adopted_by(self)
        self.register_outputs({})
