"""`./run rotate backup-target NAME`: from here on all volumes are backed up to another target; what is in the old one stays there.

A volume has one target (longhorn-manager: k8s/pkg/apis/longhorn/v1beta2/volume.go, `backupTargetName`), which a class gives it when
it is made, and which may be changed to any that is there (webhook/resources/volume/validator.go, validateBackupTarget). Its first
backup there has every block. Jobs keep as many backups as they are told of each target (app/recurring_job.go), so those in the old
one stay until somebody deletes them. System backups always go to `default`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.findings import counted
from fluxstead.core.shape import at, mapping, named
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.procedure import Procedure, Step, StepState, Stopped, done, due, waits
from fluxstead.live.rotating import Rotates, Rotation
from fluxstead.systems.longhorn.resources import LIVE, TARGETS

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

DEFAULT = "default"
_PAGE = "docs/tasks/backups.md"


def rotate(of: Rotates) -> Procedure:
    """The procedure for one target."""
    return Procedure(of.words, partial(_begin, of), partial(_steps, of))


def _begin(of: Rotates) -> Mapping[str, str]:
    """Nothing has to be remembered: each volume says which target it has. Raises Stopped where there is no such target."""
    if _target(of.api, of.name) is None:
        do = f"backupTargets: {{{of.name}: {{url: …}}}}, ./run render, commit, push; {_PAGE}"
        raise Stopped(f"there is no backup target {of.name}", do)
    return {}


def _steps(of: Rotates, notes: Mapping[str, str]) -> Sequence[Step]:
    del notes
    return (
        Step(
            f"backup target {of.name} is there and available",
            "what is sent to a target that nobody reaches is in no backup",
            "nothing has been done yet",
            partial(_available, of.api, of.name),
            patience=600,
        ),
        *of.described,
        Step(
            f"every volume is backed up to {of.name}",
            "a class decides for new volumes alone",
            "the same command with the former target",
            partial(_used, of.api, of.name),
            partial(_use, of.api, of.name),
        ),
    )


def _target(api: LiveApi, name: str) -> Mapping[str, Any] | None:
    found = (one for one in api.list(TARGETS) if named(one).name == name)
    return next((one for one in found if at(one, ("spec", "backupTargetURL"))), None)


def _available(api: LiveApi, name: str) -> StepState:
    found = _target(api, name) or {}
    if at(found, ("status", "available")) is True:
        return done()
    said = conditions_of(mapping(found, "status")).get("Unavailable", UNSAID)
    return waits(said.says or "Longhorn has not reached it yet", "./run doctor; its server, its URL and its Secret")


def _others(api: LiveApi, name: str) -> list[Mapping[str, Any]]:
    """Volumes with another target; one that follows another cluster's backups keeps its own."""
    return [
        one
        for one in api.list(LIVE)
        if str(at(one, ("spec", "backupTargetName")) or DEFAULT) != name and at(one, ("spec", "Standby")) is not True
    ]


def _used(api: LiveApi, name: str) -> StepState:
    left = _others(api, name)
    if left:
        return due(f"have {counted(len(left), 'volume')} backed up there, {named(left[0]).name} first")
    return done("the next jobs write there, first all of each volume; what is in the former target stays readable: ./run backup")


def _use(api: LiveApi, name: str) -> None:
    for one in _others(api, name):
        api.merge(LIVE, named(one).name, {"spec": {"backupTargetName": name}}, named(one).namespace)


ROTATIONS = {
    "backup-target": Rotation("longhorn", "backupsTo", "new volumes get it from their class, which follows the description", rotate)
}
"""By the word after `./run rotate`."""
