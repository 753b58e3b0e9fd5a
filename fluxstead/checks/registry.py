"""The rules that are no system's own, and the checks that are made where the tree is planned, compared and written.

Each module declares its own; `fluxstead.roster` adds the systems' and the description's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstead.checks import acceptance, entry
from fluxstead.checks.reading import uncommitted
from fluxstead.checks.rules import (
    accounts,
    coldstart,
    config,
    flux_objects,
    moves,
    named_secrets,
    network,
    ownership,
    pruning,
    references,
    releases,
    rivals,
    secrets,
    selectors,
    servicelb,
    starting,
    substitution,
    timeouts,
    traffic,
    units,
    versions,
)
from fluxstead.nodes import checks as nodes
from fluxstead.tree import delivery, look, order, owned, unique

if TYPE_CHECKING:
    from fluxstead.checks.context import CheckContext
    from fluxstead.checks.past import Past, Transition
    from fluxstead.checks.rule import Rule

OF_TREES: tuple[Rule[CheckContext], ...] = (
    *references.RULES,
    *flux_objects.RULES,
    *config.RULES,
    *releases.RULES,
    *traffic.RULES,
    *selectors.RULES,
    *accounts.RULES,
    *starting.RULES,
    *ownership.RULES,
    *servicelb.RULES,
    *rivals.RULES,
    *timeouts.RULES,
    *coldstart.RULES,
    *versions.RULES,
    *pruning.RULES,
    *secrets.RULES,
    *named_secrets.RULES,
    *units.RULES,
    *substitution.RULES,
    *network.RULES,
)
OF_MOVES: tuple[Rule[Transition], ...] = moves.MOVES
OF_COMMITS: tuple[Rule[Past], ...] = moves.COMMITS

MADE_ELSEWHERE = (
    *nodes.CHECKS,
    *order.CHECKS,
    *unique.CHECKS,
    *owned.CHECKS,
    *delivery.CHECKS,
    *look.CHECKS,
    *entry.CHECKS,
    *uncommitted.CHECKS,
    *acceptance.CHECKS,
)
