"""What Longhorn declares about itself."""

from __future__ import annotations

from fluxstead.checks.system_facts import Storage
from fluxstead.system import System
from fluxstead.systems.longhorn import backups, capacity, checks, copies, disks, moves, placing, queries, taints, values
from fluxstead.systems.longhorn.chart import LONGHORN as CHART
from fluxstead.systems.longhorn.names import PROVISIONER

LONGHORN = System(
    name="longhorn",
    key="longhorn",
    does="Longhorn, the storage on the disks that the nodes declare",
    charts=(CHART,),
    storage=Storage(provisioner=PROVISIONER, disks="Node.longhorn.io"),
    planned=(*checks.CHECKS, *placing.CHECKS, *backups.CHECKS),
    live="fluxstead.systems.longhorn.live",
    verify="fluxstead.systems.longhorn.verify",
    cures="fluxstead.systems.longhorn.manager",
    disks="fluxstead.systems.longhorn.leave",
    rules=(*disks.RULES, *capacity.RULES, *backups.RULES, *values.RULES, *queries.RULES),
    moves=(*moves.MOVES, *copies.MOVES, *taints.MOVES),
)
