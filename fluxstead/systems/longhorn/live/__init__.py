"""What can be wrong with Longhorn in a running cluster (failures F1, F9, F15, F18, F24, F28), one subject per file."""

from __future__ import annotations

from fluxstead.systems.longhorn.live import (
    attachments,
    backups,
    disks,
    images,
    instances,
    nodes,
    orphans,
    programs,
    restored,
    schedules,
    use,
    volumes,
)

COUNTS = (volumes.counted,)
RULES = (
    *disks.RULES,
    *nodes.RULES,
    *volumes.RULES,
    *use.RULES,
    *attachments.RULES,
    *programs.RULES,
    *images.RULES,
    *instances.RULES,
    *orphans.RULES,
    *backups.RULES,
    *schedules.RULES,
    *restored.RULES,
)
