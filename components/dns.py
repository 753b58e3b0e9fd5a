"""Names inside the cluster as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs
from fluxstead.tree.layer import Plan


class Dns(pulumi.ComponentResource):
    """The names that CoreDNS answers inside the cluster."""

    def __init__(self, name: str, args: SystemArgs[Plan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:dns:Dns", name, {}, opts)
        del args  # what all components take; this one has nothing to tell of it
        self.register_outputs({})
