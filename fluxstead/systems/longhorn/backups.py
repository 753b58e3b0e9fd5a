"""Backups: what the target of the description lacks, and when recurring jobs run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.cron import cron_problem
from fluxstead.core.findings import Finding
from fluxstead.core.shape import at
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.systems.longhorn.values import NO_CREDENTIALS, STORES, lacks_credentials

NO_SCHEDULE = refuses("longhorn/schedule", "U7", "RecurringJob longhorn-system/daily has the cron '0 3 * *': it has 4 fields")
CHECKS = (NO_CREDENTIALS,)

_GROUP = "longhorn.io"


def findings_of(settings: LonghornSettings, values: Mapping[str, Any]) -> Iterator[Finding]:
    """A target without the credentials that it needs, by its own key or in the chart's values."""
    for keys in STORES:
        store = at(values, keys)
        if isinstance(store, Mapping) and lacks_credentials(store):
            target = settings.backup_target
            said = at(settings.values, (*keys, "backupTarget")) is not None
            yield NO_CREDENTIALS(
                settings.source_of("values", *keys, "backupTarget") if said or target is None else target.source_of("url"),
                what=f"the backup target is {str(store['backupTarget']).partition('://')[0]}://…, and has no credentialSecret",
                why="Longhorn gets in nowhere without one, and backs nothing up (U10)",
                fix="credentialSecret: a SOPS-encrypted Secret in Longhorn's namespace",
            )


def recurring(context: CheckContext) -> Iterator[Finding]:
    """The schedules of RecurringJobs, which Longhorn's webhook reads as CronJobs' are read."""
    for item in context.tree.of("RecurringJob"):
        cron = item.spec.get("cron")
        if not item.is_final or item.ref.group != _GROUP or not isinstance(cron, str) or "${" in cron or cron.startswith("ENC["):
            continue
        problem = cron_problem(cron)
        if problem:
            yield NO_SCHEDULE(
                line_with(context.tree.store, item.document, "cron:"),
                what=f"{item} has the cron {cron!r}: {problem}",
                why="Longhorn's webhook refuses it, and no volume is backed up or trimmed by it",
                fix="minute, hour, day, month and day of the week, such as '0 3 * * *'",
            )


RULES = (Rule(recurring, (NO_SCHEDULE,)),)
