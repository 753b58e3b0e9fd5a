"""The rules that are no system's own, and the checks that are made where the tree is planned, compared and written.

Each module declares its own; `fluxstead.roster` adds the systems' and the description's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstead.checks import acceptance, entry
from fluxstead.checks.reading import uncommitted
from fluxstead.checks.rules import (
    accounts,
    admission,
    architectures,
    cluster_moves,
    coldstart,
    config,
    data_moves,
    drift,
    fixed,
    flux_itself,
    flux_objects,
    images,
    known_defects,
    moves,
    named_secrets,
    network,
    open_uis,
    ownership,
    placement,
    pruning,
    references,
    release_moves,
    releases,
    rivals,
    scaling,
    schedules,
    secret_moves,
    secrets,
    secrets_in_text,
    selectors,
    servicelb,
    starting,
    substitution,
    texts,
    timeouts,
    traffic,
    units,
    versions,
)
from fluxstead.nodes import checks as nodes
from fluxstead.nodes import marks, registration
from fluxstead.tree import answered, delivery, left_behind, look, order, owned, unique

if TYPE_CHECKING:
    from fluxstead.checks.context import CheckContext
    from fluxstead.checks.past import Past, Transition
    from fluxstead.checks.rule import Rule

OF_TREES: tuple[Rule[CheckContext], ...] = (
    *references.RULES,
    *flux_itself.RULES,
    *flux_objects.RULES,
    *config.RULES,
    *releases.RULES,
    *traffic.RULES,
    *selectors.RULES,
    *accounts.RULES,
    *starting.RULES,
    *placement.RULES,
    *admission.RULES,
    *scaling.RULES,
    *images.RULES,
    *architectures.RULES,
    *schedules.RULES,
    *ownership.RULES,
    *servicelb.RULES,
    *rivals.RULES,
    *timeouts.RULES,
    *drift.RULES,
    *coldstart.RULES,
    *versions.RULES,
    *known_defects.RULES,
    *pruning.RULES,
    *secrets.RULES,
    *secrets_in_text.RULES,
    *named_secrets.RULES,
    *units.RULES,
    *substitution.RULES,
    *texts.RULES,
    *network.RULES,
    *open_uis.RULES,
)
OF_MOVES: tuple[Rule[Transition], ...] = (
    *moves.MOVES,
    *fixed.MOVES,
    *release_moves.MOVES,
    *cluster_moves.MOVES,
    *data_moves.MOVES,
    *secret_moves.MOVES,
)
OF_COMMITS: tuple[Rule[Past], ...] = moves.COMMITS

MADE_ELSEWHERE = (
    *nodes.CHECKS,
    *registration.CHECKS,
    *marks.CHECKS,
    *order.CHECKS,
    *unique.CHECKS,
    *answered.CHECKS,
    *owned.CHECKS,
    *delivery.CHECKS,
    *left_behind.CHECKS,
    *look.CHECKS,
    *entry.CHECKS,
    *uncommitted.CHECKS,
    *acceptance.CHECKS,
)
