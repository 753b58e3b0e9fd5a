"""Who has which backups: RecurringJobs for policies, and labels by which claims choose among them.

A volume has its jobs by labels. Those of a claim count as soon as it carries the label `source`, and are then all that its volume
has; a volume without any gets the group `default` (longhorn/longhorn-manager: controller/volume_controller.go,
syncPVCRecurringJobLabels; datastore/longhorn.go, FixupRecurringJob). So each claim says all of it, and one without backups is in a
group that no job has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.backup import Backup
from fluxstead.core.manifest import KEEP, Manifest
from fluxstead.core.shape import at
from fluxstead.systems.longhorn.policies import INTERVAL_SINCE, OF_THE_CLUSTER, BackupPolicy, policies_by_default
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.systems.longhorn.values import STORES
from fluxstead.tree.layer import Layer

LAYER = "longhorn-backups"
JOB, GROUP = "recurring-job.longhorn.io", "recurring-job-group.longhorn.io"
SOURCE = f"{JOB}/source"
DEFAULT, NONE = "default", "none"
"""Groups: of every volume that has no labels of its own, and of those that are in no backup."""
_ENABLED = "enabled"
_NOT_OURS = frozenset({"local-path"})
"""Classes that are certainly others'. Any other may be one of Longhorn's that people wrote."""


def policies_of(settings: LonghornSettings) -> Mapping[str, BackupPolicy]:
    """Those that are described; without any word about them, and with a target, those that every cluster should have."""
    if settings.backups is not None:
        return settings.backups
    return policies_by_default(settings.version) if has_target(settings) else {}


def has_target(settings: LonghornSettings) -> bool:
    """Whether volumes are backed up to anything, be it described by its own key, chosen among others, or in the chart's values."""
    stores = (at(settings.values, (*keys, "backupTarget")) for keys in STORES)
    return bool(settings.backup_target or settings.backups_to in settings.backup_targets or any(stores))


def is_ours(storage_class: str) -> bool:
    """Whether Longhorn makes this class's volumes, as far as its name tells."""
    return storage_class not in _NOT_OURS


class DescribedKeeper(NamedTuple):
    """What claims carry, by the description."""

    settings: LonghornSettings

    def labels(self, storage_class: str, backup: Backup | None) -> Mapping[str, str]:
        """See `tree.asks.Keeper`; nothing where no policy is about volumes."""
        policies = policies_of(self.settings)
        if not is_ours(storage_class) or all(one.task == OF_THE_CLUSTER for one in policies.values()):
            return {}
        return {SOURCE: _ENABLED, **dict.fromkeys(_chosen(policies, backup), _ENABLED)}


def _chosen(policies: Mapping[str, BackupPolicy], backup: Backup | None) -> Iterator[str]:
    if backup is None or backup.also:
        yield f"{GROUP}/{DEFAULT}"
    if backup is None:
        return
    if backup.none:
        yield f"{GROUP}/{NONE}"
    if not backup.also:
        # What is no backup is done all the same, such as trimming.
        yield from (f"{JOB}/{name}" for name, one in policies.items() if one.for_all and not one.backs_up)
    yield from (f"{JOB}/{name}" for name in backup.policies)


def layers_of(settings: LonghornSettings) -> Iterator[Layer]:
    """The layer with the jobs and further targets, if there are any."""
    manifests = (*_jobs(settings), *_targets(settings))
    if manifests:
        yield Layer(name=LAYER, group="infrastructure", source=settings.source, manifests=manifests)


def _jobs(settings: LonghornSettings) -> Iterator[Manifest]:
    knows_parameters = settings.version.minor >= INTERVAL_SINCE
    for name, policy in policies_of(settings).items():
        source = settings.source_of("backups", name) if settings.backups else settings.source_of("backupTarget")
        yield Manifest(_job(settings.namespace, name, policy, parameters=knows_parameters), source)


def _job(namespace: str, name: str, policy: BackupPolicy, *, parameters: bool) -> dict[str, Any]:
    """With every field that Longhorn's webhook would fill in, so that Flux and it never take turns."""
    return {
        "apiVersion": "longhorn.io/v1beta2",
        "kind": "RecurringJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "name": name,
            "task": policy.task,
            "cron": policy.cron,
            "retain": policy.retain or 0,
            "concurrency": policy.concurrency,
            "groups": [DEFAULT] if policy.for_all else [],
            "labels": {},
            **({"parameters": _parameters(policy)} if parameters else {}),
        },
    }


def _parameters(policy: BackupPolicy) -> dict[str, str]:
    if policy.task == OF_THE_CLUSTER:
        # Of a volume without any backup it makes one, so that what it restores is not empty.
        return {"volume-backup-policy": "if-not-present"}
    return {"full-backup-interval": str(policy.full_backup_interval)} if policy.full_backup_interval else {}


def _targets(settings: LonghornSettings) -> Iterator[Manifest]:
    """Whoever deletes a target makes Longhorn forget the backups in it, so Flux never does."""
    for name, target in settings.backup_targets.items():
        yield Manifest(
            {
                "apiVersion": "longhorn.io/v1beta2",
                "kind": "BackupTarget",
                "metadata": {"name": name, "namespace": settings.namespace, "annotations": dict(KEEP)},
                "spec": {
                    "backupTargetURL": target.url,
                    "credentialSecret": target.credential_secret or "",
                    "pollInterval": "300s",
                },
            },
            target.source,
        )
