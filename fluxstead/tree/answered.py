"""What systems ask for and nobody answers: without an ingress controller, no route leads anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.tree.layer import Plan

NO_CONTROLLER = refuses("tree/route-without-controller", "F21", "a route to web, and no ingress controller", "the description")
CHECKS = (NO_CONTROLLER,)


def findings_of(plans: Mapping[str, Plan]) -> Iterator[Finding]:
    """Routes that the description asks for, in a cluster without a controller."""
    if any(plan.router for plan in plans.values()):
        return
    for plan in plans.values():
        for route in plan.routes:
            if not route.optional:
                yield NO_CONTROLLER(
                    route.source,
                    what=f"there is a route to {route.service}, and no ingress controller",
                    why="nothing would answer requests to it",
                    fix="no route here, or an ingress controller in the description",
                )
