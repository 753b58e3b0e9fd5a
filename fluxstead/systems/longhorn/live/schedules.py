"""Recurring backups that no longer come.

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/recurringjob.go: tasks; types/types.go: the labels by which a
volume has a job, or a group of jobs, and those of its CronJob; controller/volume_controller.go: lastBackupAt. Longhorn's docs,
"Recurring Snapshots and Backups": of a volume without new data none is made, and of a detached one none unless a setting says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NamedTuple

from fluxstead.core.cron import cron_problem
from fluxstead.core.duration import Duration
from fluxstead.core.shape import mapping, named
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.moments import moment_of
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import LiveTrouble, Subject, pods_in
from fluxstead.systems.longhorn.keeping import NONE
from fluxstead.systems.longhorn.live.backups import backup_subject
from fluxstead.systems.longhorn.live.kinds import created, shown
from fluxstead.systems.longhorn.live.since import lasts
from fluxstead.systems.longhorn.live.target import TARGET, targets
from fluxstead.systems.longhorn.live.volume import VOLUME, LiveVolume
from fluxstead.systems.longhorn.names import API

_BACKS_UP = frozenset({"backup", "backup-force-create"})
_MISSED = 3
"""How many times a backup may be missing before it is told: a volume may lie still for a day or two."""
_DAY = 24 * 60 * 60
_WEEK, _MONTH, _YEAR = 7, 31, 366
_NAMED = {"@weekly": _WEEK, "@monthly": _MONTH, "@yearly": _YEAR, "@annually": _YEAR}
_ANY = frozenset({"*", "?"})


class LiveJob(NamedTuple):
    """A RecurringJob that backs up. `days`: how many lie between two backups, at most."""

    namespace: str
    name: str
    days: int
    groups: frozenset[str]
    created: str


def _job(obj: Mapping[str, Any]) -> LiveJob | None:
    spec, cron = mapping(obj, "spec"), str(mapping(obj, "spec").get("cron", ""))
    if str(spec.get("task")) not in _BACKS_UP or cron_problem(cron):
        return None
    groups = spec.get("groups")
    return LiveJob(*named(obj), days_between(cron), frozenset(map(str, groups if isinstance(groups, list) else ())), created(obj))


def days_between(cron: str) -> int:
    """How many days lie between two times of a schedule at most, told generously; 1 where it is every day or more often."""
    every = Duration.read(cron.removeprefix("@every ").strip())
    if every:
        return max(1, ceil(every.seconds / _DAY))
    if cron.startswith("@"):
        return _NAMED.get(cron, 1)
    _, _, day, month, weekday = cron.split()
    if month not in _ANY:
        return _YEAR
    if day not in _ANY:
        return _MONTH
    return 1 if weekday in _ANY else _WEEK


JOB = Kind(Resource(API, "recurringjobs"), _job)


def overdue(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Of each job, the attached volumes that it has not backed up for much longer than it lets pass."""
    del expected
    for job in facts.of(JOB):
        late = [one for one in facts.of(VOLUME) if _has(one, job) and _is_late(one, job, facts)]
        if late:
            yield _late(job, late, facts)


def _has(volume: LiveVolume, job: LiveJob) -> bool:
    used = volume.state == "attached" and not volume.restoring and not volume.standby
    return used and (job.name in volume.jobs or bool(job.groups & volume.groups))


def _is_late(volume: LiveVolume, job: LiveJob, facts: ClusterFacts) -> bool:
    """Before the job was there, or the volume, there was nothing to be late for."""
    known: list[datetime] = [at for said in (volume.backed_up or volume.created, job.created) if (at := moment_of(said))]
    return bool(known) and facts.taken - max(known) > timedelta(days=job.days * _MISSED)


def _late(job: LiveJob, late: Sequence[LiveVolume], facts: ClusterFacts) -> LiveTrouble:
    kubectl = f"kubectl -n {job.namespace}"
    return LiveTrouble(
        Subject("recurring job", job.name),
        f"has made no backup for more than {job.days * _MISSED} days of {shown(one.name for one in late)}",
        "what was written there since is in no backup; where nothing was, there is nothing to do",
        f"{kubectl} get cronjobs,jobs,pods -l recurring-job.longhorn.io={job.name}; a pod that stays Pending may be deleted; "
        f"{kubectl} get backups.longhorn.io",
        waits_for=(*targets(facts), *(backup_subject(one.name) for one in late), pods_in(job.namespace)),
        gravity="warning",
    )


def unscheduled(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Claimed volumes that no job backs up, in a cluster that backs others up, unless that was said to be so."""
    del expected
    jobs = facts.of(JOB)
    names, groups = {job.name for job in jobs}, {group for job in jobs for group in job.groups}
    left = [
        one
        for one in facts.of(VOLUME)
        if one.claim and NONE not in one.groups and not (one.jobs & names or one.groups & groups) and lasts(facts, one.created)
    ]
    if jobs and left:
        yield LiveTrouble(
            Subject("backups of", shown(one.claim for one in left)),
            "are made by no job: the volumes have no label of one, nor of a group that one has",
            "what is lost there is lost",
            f"./run check; kubectl -n {left[0].namespace} get volumes.longhorn.io {left[0].name} --show-labels",
            "docs/tasks/backups.md",
            targets(facts),
            "warning",
        )


RULES = (
    LiveRule(unscheduled, (JOB, VOLUME, TARGET)),
    LiveRule(overdue, (JOB, VOLUME, TARGET)),
)
