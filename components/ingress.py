"""The ingress controller as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs, register_layers
from fluxstead.systems.ingress import IngressPlan


class Ingress(pulumi.ComponentResource):
    """The ingress controller, and the routes of the systems before it. `addresses` says where these are reached."""

    def __init__(self, name: str, args: SystemArgs[IngressPlan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:ingress:Ingress", name, {}, opts)
        self.layers = register_layers(self, args)
        self.addresses = {address.name: address.url for address in args.plan.addresses}
        self.register_outputs({"addresses": self.addresses})
