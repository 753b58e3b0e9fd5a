"""The systems, and the sum of what they declare: all charts, all kinds, all checks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import chain

from fluxstead.catalog.chart import Charts
from fluxstead.catalog.other_charts import OTHER_CHARTS
from fluxstead.checks import registry
from fluxstead.checks.context import CheckContext
from fluxstead.checks.past import Past, Transition, over
from fluxstead.checks.rule import Remark, Rule, not_checked, run
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.core.check import Check
from fluxstead.core.findings import Finding
from fluxstead.description import kubernetes_checks, load, place, problems, text_in, yaml_in
from fluxstead.secrets import checks as secret_checks
from fluxstead.system import System
from fluxstead.systems.access import ACCESS
from fluxstead.systems.applications import APPLICATIONS
from fluxstead.systems.certificates import CERTIFICATES
from fluxstead.systems.datastore import DATASTORE
from fluxstead.systems.dns import DNS
from fluxstead.systems.ingress import INGRESS
from fluxstead.systems.longhorn import LONGHORN
from fluxstead.systems.monitoring import MONITORING
from fluxstead.systems.node_labels import NODE_LABELS
from fluxstead.tree.layer import Plan

SYSTEMS: tuple[System, ...] = (NODE_LABELS, DATASTORE, DNS, LONGHORN, INGRESS, CERTIFICATES, ACCESS, MONITORING, APPLICATIONS)
"""In the order in which the tree lists what they have, wherever nothing else decides."""

SYSTEM_FACTS = SystemFacts(
    charts=Charts((*OTHER_CHARTS, *(chart for system in SYSTEMS for chart in system.charts))),
    storages=tuple(system.storage for system in SYSTEMS if system.storage),
    routes=tuple(route for system in SYSTEMS for route in system.routes),
    asking={name: notes for system in SYSTEMS for name, notes in system.asking.items()},
    copies=frozenset[str]().union(*(system.copies for system in SYSTEMS)),
)

OF_TREES: tuple[Rule[CheckContext], ...] = (*registry.OF_TREES, *(rule for system in SYSTEMS for rule in system.rules))
OF_MOVES: tuple[Rule[Transition], ...] = (*registry.OF_MOVES, *(rule for system in SYSTEMS for rule in system.moves))


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, by id. A test makes sure that none is missing here."""
    from fluxstead.checks.outside import rules as outside  # noqa: PLC0415 -- what `render` never runs

    checks = (
        registry.MADE_ELSEWHERE,
        *(module.CHECKS for module in (kubernetes_checks, load, place, problems, text_in, yaml_in, secret_checks)),
        *(system.planned for system in SYSTEMS),
        *(rule.checks for rule in OF_TREES),
        *(rule.checks for rule in OF_MOVES),
        *(rule.checks for rule in registry.OF_COMMITS),
        *(rule.checks for rule in (*outside.RULES, *outside.OF_FILES)),
    )
    return tuple(sorted(set(chain(*checks)), key=lambda check: check.id))


def judged(past: Past) -> list[Finding | Remark]:
    """What all rules say of a tree, and of the commits before it."""
    return [
        *run(past.context, OF_TREES),
        *over(past, OF_MOVES),
        *run(past, registry.OF_COMMITS),
        *map(not_checked, past.committed.unchecked),
    ]


def in_order(plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """The plans in the order of the list, whichever was made first."""
    names = [system.name for system in SYSTEMS]
    return {name: plans[name] for name in sorted(plans, key=names.index)}
