"""Monitoring as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs
from fluxstead.tree.layer import Plan


class Monitoring(pulumi.ComponentResource):
    """Prometheus, Alertmanager and Grafana, what they watch, and the route to Grafana. `addresses` are by name."""

    def __init__(self, name: str, args: SystemArgs[Plan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:monitoring:Monitoring", name, {}, opts)
        self.addresses = args.addresses
        self.register_outputs({"addresses": self.addresses})
