"""The systems, and the sums of what they say: all charts, all kinds, all checks."""

from __future__ import annotations

from collections.abc import Mapping

from fluxstead.catalog.chart import Charts
from fluxstead.catalog.other_charts import OTHER_CHARTS
from fluxstead.checks.known import Known
from fluxstead.checks.registry import GENERAL
from fluxstead.system import System
from fluxstead.systems.applications import APPLICATIONS
from fluxstead.systems.dns import DNS
from fluxstead.systems.ingress import INGRESS
from fluxstead.systems.longhorn import LONGHORN
from fluxstead.systems.monitoring import MONITORING
from fluxstead.systems.node_labels import NODE_LABELS
from fluxstead.tree.layer import Plan

SYSTEMS: tuple[System, ...] = (NODE_LABELS, DNS, LONGHORN, INGRESS, MONITORING, APPLICATIONS)
"""In the order in which the tree lists what they have, wherever nothing else decides."""

KNOWN = Known(
    charts=Charts((*OTHER_CHARTS, *(chart for system in SYSTEMS for chart in system.charts))),
    storages=tuple(system.storage for system in SYSTEMS if system.storage),
    routes=tuple(route for system in SYSTEMS for route in system.routes),
    copies=frozenset[str]().union(*(system.copies for system in SYSTEMS)),
)

CHECKS = tuple(sorted((*GENERAL, *(check for system in SYSTEMS for check in system.checks)), key=lambda check: check.id))
"""Every check, by id. A test holds that no finding's id is missing here."""


def in_order(plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """The plans in the order of the list, whichever was made first."""
    names = [system.name for system in SYSTEMS]
    return {name: plans[name] for name in sorted(plans, key=names.index)}
