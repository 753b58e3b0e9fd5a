"""A system as a Pulumi component: one class for all, since what distinguishes a system is in its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from fluxstead.tree.layer import Plan


@dataclass(frozen=True)
class SystemArgs:
    """The system's plan, with its asks resolved."""

    plan: Plan


class SystemResource(pulumi.ComponentResource):
    """The parent of the system's layers. Its outputs are `addresses` (where people reach it, by name) and those of its plan."""

    def __init__(self, name: str, args: SystemArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_of(name), name, {}, opts)
        self.addresses = {link.name: link.url for link in args.plan.links}
        self.register_outputs({"addresses": self.addresses, **args.plan.outputs})


def type_of(system: str) -> str:
    """The component's type. It is part of the URN of every layer below, so it stays for the system's life."""
    return f"fluxstead:{system}:{''.join(word.capitalize() for word in system.split('_'))}"


def register_systems(plans: Mapping[str, Plan]) -> dict[str, SystemResource]:
    """Register every system, by its name."""
    return {name: SystemResource(name, SystemArgs(plan)) for name, plan in plans.items()}
