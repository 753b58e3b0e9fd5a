"""Longhorn as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.system import SystemArgs
from fluxstead.systems.longhorn import LonghornPlan


class Longhorn(pulumi.ComponentResource):
    """Longhorn's release, and the storage on the nodes' disks.

    `storage_classes` names what volumes may ask for, `addresses` where its UI is.
    """

    def __init__(self, name: str, args: SystemArgs[LonghornPlan], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstead:longhorn:Longhorn", name, {}, opts)
        self.addresses = args.addresses
        self.storage_classes = list(args.plan.classes)
        self.register_outputs({"addresses": self.addresses, "storageClasses": self.storage_classes})
