"""What Longhorn declares about itself."""

from __future__ import annotations

from fluxstead.checks.system_facts import Storage
from fluxstead.system import System
from fluxstead.systems.longhorn import (
    backup_chain,
    backups,
    capacity,
    checks,
    copies,
    disks,
    moves,
    placing,
    policy_checks,
    queries,
    taints,
    values,
)
from fluxstead.systems.longhorn.chart import LONGHORN as CHART
from fluxstead.systems.longhorn.names import PROVISIONER

LONGHORN = System(
    name="longhorn",
    key="longhorn",
    does="Longhorn, the storage on the disks that the nodes declare",
    charts=(CHART,),
    storage=Storage(
        provisioner=PROVISIONER,
        disks="Node.longhorn.io",
        # With a Volume goes what it holds; with a Backup and a BackupVolume, what is in the store.
        data=frozenset(f"{kind}.longhorn.io" for kind in ("Volume", "Backup", "BackupVolume", "BackingImage")),
    ),
    planned=(*checks.CHECKS, *placing.CHECKS, *backups.CHECKS, *policy_checks.CHECKS),
    live="fluxstead.systems.longhorn.live",
    verify="fluxstead.systems.longhorn.verify",
    cures="fluxstead.systems.longhorn.manager",
    disks="fluxstead.systems.longhorn.leave",
    backups="fluxstead.systems.longhorn.restore.commands",
    rotations="fluxstead.systems.longhorn.retarget",
    rules=(*disks.RULES, *capacity.RULES, *backups.RULES, *backup_chain.RULES, *values.RULES, *queries.RULES),
    moves=(*moves.MOVES, *copies.MOVES, *taints.MOVES),
)
