"""Schedules and time zones of CronJobs."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.cron import cron_problem, is_time_zone
from fluxstead.core.findings import Finding

NO_SCHEDULE = refuses("units/schedule", "U7", "CronJob web/backup has the schedule '0 25 * * *'")
NO_TIME_ZONE = refuses("units/time-zone", "U7", "CronJob web/backup has the time zone Europe/Belrin, which does not exist")


def cron_jobs(context: CheckContext) -> Iterator[Finding]:
    """When they run."""
    for item in context.tree.of("CronJob"):
        schedule, zone = item.spec.get("schedule"), item.spec.get("timeZone")
        if not item.is_final or "${" in f"{schedule}{zone}":
            continue
        problem = cron_problem(schedule) if isinstance(schedule, str) else None
        if problem:
            yield NO_SCHEDULE(
                line_with(context.tree.store, item.document, "schedule:"),
                what=f"{item} has the schedule {schedule!r}: {problem}",
                why="the API server refuses it, and nothing ever runs",
                fix="minute, hour, day, month and day of the week, such as '0 3 * * *'; a zone of its own as timeZone",
            )
        if isinstance(zone, str) and not is_time_zone(zone):
            yield NO_TIME_ZONE(
                line_with(context.tree.store, item.document, "timeZone:"),
                what=f"{item} has the time zone {zone}, which does not exist",
                why="the API server refuses it, and nothing ever runs",
                fix="a name of the IANA database, such as Europe/Berlin or Etc/UTC",
            )


RULES = (Rule(cron_jobs, (NO_SCHEDULE, NO_TIME_ZONE)),)
