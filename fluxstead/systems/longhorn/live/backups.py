"""Backups that cannot be made, or that failed.

Sources: longhorn/longhorn-manager controller/backup_target_controller.go: `available`, and the condition `Unavailable`;
k8s/pkg/apis/longhorn/v1beta2/{backup,systembackup}.go: states; controller/{backup,system_backup}_controller.go, which set them. A
Backup that failed is deleted after the setting failed-backup-ttl, a day by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping, named
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.moments import moment_of
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import LiveTrouble, Subject
from fluxstead.systems.longhorn.live.kinds import created
from fluxstead.systems.longhorn.live.node import NODE, below
from fluxstead.systems.longhorn.live.since import lasts
from fluxstead.systems.longhorn.live.target import TARGET, target_subject, targets
from fluxstead.systems.longhorn.live.volume import VOLUME, volume_subject
from fluxstead.systems.longhorn.names import API
from fluxstead.systems.longhorn.resources import BACKUPS

_FAILED = frozenset({"Error", "Unknown"})
_LONGEST = 300
_EVER = datetime.min.replace(tzinfo=UTC)


class Made(NamedTuple):
    """A Backup, or a SystemBackup. `of`: the volume, or nothing. `moment`: when it was made, or begun."""

    namespace: str
    name: str
    of: str
    state: str
    says: str
    moment: datetime


def _backup(obj: Mapping[str, Any]) -> Made:
    status, labels = mapping(obj, "status"), mapping(mapping(obj, "metadata"), "labels")
    # What is read from the store was created there, and here only when it was read.
    at = status.get("backupCreatedAt") or status.get("snapshotCreatedAt") or created(obj)
    return Made(
        *named(obj),
        str(status.get("volumeName") or labels.get("backup-volume") or ""),
        str(status.get("state") or ""),
        _short(status.get("error")),
        moment_of(at) or _EVER,
    )


def _system(obj: Mapping[str, Any]) -> Made:
    status = mapping(obj, "status")
    says = conditions_of(status).get("Error", UNSAID).says
    return Made(
        *named(obj), "", str(status.get("state") or ""), _short(says), moment_of(status.get("createdAt") or created(obj)) or _EVER
    )


def _short(text: object) -> str:
    return " ".join(str(text or "").split())[:_LONGEST]


BACKUP = Kind(BACKUPS, _backup)
SYSTEM = Kind(Resource(API, "systembackups"), _system)


def unavailable(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Targets that are set, and cannot be reached."""
    del expected
    for one in facts.of(TARGET):
        if one.is_set and one.refusal:
            yield LiveTrouble(
                target_subject(one.name),
                f"is not available: {_short(one.refusal)}",
                "nothing is backed up, and nothing can be restored",
                f"its server, its URL, and the Secret with its credentials: ./run secrets; kubectl -n {one.namespace} describe "
                f"backuptargets.longhorn.io {one.name}",
                "docs/tasks/secrets.md",
                (Subject("secrets in", one.namespace),),
                "error" if lasts(facts, one.since) else "warning",
            )


def failed(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Volumes, and the cluster's own state, of which the newest backup failed."""
    del expected
    there, above = {one.name for one in facts.of(VOLUME)}, (*targets(facts), *below(facts))
    for one in _newest(backup for backup in facts.of(BACKUP) if backup.of in there):
        yield LiveTrouble(
            backup_subject(one.of),
            f"failed: {one.says or f'it ended in the state {one.state}'}",
            "what was written since the one before is in no backup",
            f"kubectl -n {one.namespace} describe backups.longhorn.io {one.name}",
            waits_for=(volume_subject(one.of), *above),
            gravity="warning",
        )
    for one in _newest(facts.of(SYSTEM)):
        yield LiveTrouble(
            Subject("system backup", one.name),
            f"failed: {one.says or f'it ended in the state {one.state}'}",
            "Longhorn's settings, volumes and claims of today cannot be restored",
            f"kubectl -n {one.namespace} describe systembackups.longhorn.io {one.name}; then delete it",
            waits_for=targets(facts),
            gravity="warning",
        )


def _newest(made: Iterable[Made]) -> Iterator[Made]:
    """Of each volume, its newest backup, where that failed."""
    last: dict[str, Made] = {}
    for one in made:
        if one.of not in last or one.moment > last[one.of].moment:
            last[one.of] = one
    yield from (one for one in last.values() if one.state in _FAILED)


def backup_subject(volume: str) -> Subject:
    """The backups of a volume, as they are named everywhere."""
    return Subject("backup of", volume)


RULES = (LiveRule(unavailable, (TARGET,)), LiveRule(failed, (BACKUP, SYSTEM, VOLUME, TARGET, NODE)))
