"""Backup policies: what an operator may say about each, and those that a cluster with a target has from its first day.

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/recurringjob.go (tasks), datastore/longhorn.go,
ValidateRecurringJob (names, parameters), types/types.go (labels; the key `source` is not a job's).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fluxstead.core.described import Described
from fluxstead.core.names import Name
from fluxstead.core.refusal import refuse
from fluxstead.core.schedule import schedule_problem
from fluxstead.core.version import Version

_SHORTEST, _LONGEST = 2, 40
_MOST = 100
"""What a job keeps at most (longhorn-manager: types/setting.go, recurring-job-max-retention)."""
_RESERVED = {"source": "the label of a job `source` means something else", "default": "that is the group of all volumes"}

BACKS_UP = frozenset({"backup", "backup-force-create"})
"""The tasks that make a volume's backup."""
_KEEPS_NOTHING = frozenset({"snapshot-cleanup", "filesystem-trim"})
OF_THE_CLUSTER = "system-backup"
"""The task that is about no volume."""
SYSTEM_BACKUP_SINCE, INTERVAL_SINCE, TARGETS_SINCE = (1, 9), (1, 7), (1, 8)
"""The releases that brought the task `system-backup`, a job's parameters, and more than one target."""


def _policy_name(value: str) -> str:
    if value in _RESERVED or not _SHORTEST <= len(value) <= _LONGEST:
        raise refuse(
            f"{value!r} is no name for a policy",
            why=_RESERVED.get(value, f"Longhorn takes names of {_SHORTEST} to {_LONGEST} characters"),
            fix="a name such as daily",
        )
    return value


def _schedule(value: str) -> str:
    problem = schedule_problem(value)
    if problem is None:
        return value
    raise refuse(
        f"{value!r} is not a schedule: {problem}",
        why="Longhorn's webhook refuses it, and nothing is backed up by it",
        fix="minute, hour, day, month and day of the week, such as '0 3 * * *'; in UTC",
    )


PolicyName = Annotated[Name, AfterValidator(_policy_name)]
"""As a label can name it."""


class BackupPolicy(Described):
    """What Longhorn does again and again with volumes, as its RecurringJob."""

    task: Literal[
        "backup",
        "backup-force-create",
        "snapshot",
        "snapshot-force-create",
        "snapshot-cleanup",
        "snapshot-delete",
        "filesystem-trim",
        "system-backup",
    ] = Field(default="backup", description="What is done; Longhorn's own words.")
    cron: Annotated[str, AfterValidator(_schedule)] = Field(description="When, as cron has it, in UTC.")
    retain: int | None = Field(default=None, ge=1, le=_MOST, description="How many are kept of each volume.")
    concurrency: int = Field(default=1, ge=1, le=_MOST, description="How many volumes at once.")
    full_backup_interval: int | None = Field(
        default=None,
        ge=1,
        le=_MOST,
        description="After how many backups one has every block, in place of what changed since the last.",
    )
    default: bool = Field(default=True, description="Whether every volume has it that does not say otherwise.")

    @model_validator(mode="after")
    def _fits_its_task(self) -> Self:
        if self.retain is None and self.task not in _KEEPS_NOTHING:
            raise refuse(
                f"a policy with the task {self.task} says nothing about how many are kept",
                why="with one alone, what is wrong for a day is wrong in every copy",
                fix="retain: 14",
            )
        if self.retain is not None and self.task in _KEEPS_NOTHING:
            raise refuse(
                f"a policy with the task {self.task} keeps nothing",
                why="Longhorn makes 0 of the number, and Flux changes it back at each reconciliation",
                fix="no retain",
            )
        if self.full_backup_interval is not None and self.task not in BACKS_UP:
            raise refuse(
                f"a policy with the task {self.task} has a fullBackupInterval",
                why="Longhorn's webhook refuses a job with parameters that are not its task's",
                fix="no fullBackupInterval, or task: backup",
            )
        return self

    @property
    def backs_up(self) -> bool:
        """Whether it makes backups of volumes."""
        return self.task in BACKS_UP

    @property
    def for_all(self) -> bool:
        """Whether every volume has it by itself."""
        return self.default and self.task != OF_THE_CLUSTER


def _policy(task: str, cron: str, retain: int | None = None) -> BackupPolicy:
    return BackupPolicy.model_validate({"task": task, "cron": cron, **({"retain": retain} if retain else {})})


def policies_by_default(version: Version) -> Mapping[str, BackupPolicy]:
    """Where there is a target, and nobody says otherwise.

    Snapshots of the last days are on the disks themselves, for mistakes; backups are for disks that are gone. That their blocks are
    still what was written, Longhorn looks at by itself each week (longhorn-manager: types/setting.go, snapshot-data-integrity).
    """
    found = {
        "daily-snapshot": _policy("snapshot", "0 1 * * *", 3),
        "daily": _policy("backup", "0 2 * * *", 14),
        "weekly-trim": _policy("filesystem-trim", "0 4 * * 6"),
    }
    if version.minor >= SYSTEM_BACKUP_SINCE:
        found["weekly-system"] = _policy(OF_THE_CLUSTER, "0 5 * * 0", 4)
    return MappingProxyType(found)
