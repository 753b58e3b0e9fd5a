"""`./run backup restore --all`: a new cluster from an old one's backups, before anything starts on an empty volume.

With `waitForRestore`, whatever needs volumes waits for a word in a ConfigMap. Before it is said, every claim that has a backup gets
its volume, which it takes as soon as it is there itself, since nothing else can. What is there already is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping
from fluxstead.live.procedure import Procedure, Step, StepState, done, due, waits
from fluxstead.live.resources import Refused, Resource
from fluxstead.live.verify.storage import CLAIMS
from fluxstead.systems.longhorn.names import API
from fluxstead.systems.longhorn.restore.beside import bound, new_name
from fluxstead.systems.longhorn.restore.store import TARGETS, StoredBackup, backups_of
from fluxstead.systems.longhorn.restore.volume import given_back, volume_steps
from fluxstead.systems.longhorn.restore.wish import Wish, wish_for
from fluxstead.systems.longhorn.storage import RESTORED

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi
    from fluxstead.live.kept import DescribedClaims

_VOLUMES_KEPT, _CONFIG_MAPS = Resource(API, "backupvolumes"), Resource("api/v1", "configmaps")
_NOTE = "all"
_PAGE = "docs/tasks/backups.md"


def everything(api: LiveApi, described: DescribedClaims) -> Procedure:
    """The procedure."""
    return Procedure("backup restore --all", partial(_begin, api, described), partial(_steps, api, described))


def _begin(api: LiveApi, described: DescribedClaims) -> Mapping[str, str]:
    targets = [one for one in api.list(TARGETS) if at(one, ("spec", "backupTargetURL"))]
    if not any(at(one, ("status", "available")) is True for one in targets):
        raise Refused(f"no backup target is available, so nobody knows what there is to restore: ./run doctor; {_PAGE}")
    newest = _newest(backups_of(api), described)
    there = {key for key in newest if _has_volume(api, *key)}
    if not newest.keys() - there and not _gates(described):
        raise Refused("nothing is to be restored: every claim that has a backup has a volume; ./run backup")
    wanted = {
        f"{space}/{name}": [kept.name, new_name(name)] for (space, name), kept in newest.items() if (space, name) not in there
    }
    return {_NOTE: json.dumps(wanted)}


def _newest(found: Sequence[StoredBackup], described: DescribedClaims) -> dict[tuple[str, str], StoredBackup]:
    """Of each claim that is described, or may be a described chart's."""
    newest: dict[tuple[str, str], StoredBackup] = {}
    spaces = {one.namespace for one in described.objects if one.namespace}
    for one in found:
        if one.claim in described.claims or (one.claim[1] and one.claim[0] in spaces):
            newest.setdefault(one.claim, one)
    return newest


def _has_volume(api: LiveApi, namespace: str, name: str) -> bool:
    return bool(at(api.get(CLAIMS, name, namespace), ("spec", "volumeName")))


def _steps(api: LiveApi, described: DescribedClaims, notes: Mapping[str, str]) -> Sequence[Step]:
    wishes = list(_wishes(api, described, json.loads(notes[_NOTE])))
    of_volumes = [volume_steps(api, one) for one in wishes]
    return (
        # Side by side: all are read from the target at once.
        *(step for steps in zip(*of_volumes, strict=True) for step in steps),
        *(_started(api, home, _empty(described, wishes)) for home in _gates(described)),
        *(_taken(api, one) for one in wishes),
        *(given_back(api, one) for one in wishes),
    )


def _wishes(api: LiveApi, described: DescribedClaims, wanted: Mapping[str, Sequence[str]]) -> Iterator[Wish]:
    known = {one.name: one for one in backups_of(api)}
    classes = _classes(api)
    for label, (backup, volume) in sorted(wanted.items()):
        kept = known.get(backup)
        if kept is None:
            raise Refused(f"backup {backup} of {label} is gone: the same command with --abandon, which chooses anew")
        yield wish_for(api, kept, _like(described, label, kept, classes), volume)


def _like(described: DescribedClaims, label: str, kept: StoredBackup, classes: Mapping[str, str]) -> Mapping[str, Any]:
    """The claim as it will be made: by the description, or as it was when it was backed up."""
    namespace, _, name = label.partition("/")
    claim = described.claims.get((namespace, name))
    spec: dict[str, Any] = {"storageClassName": claim.storage_class if claim else classes.get(kept.volume, "longhorn")}
    if claim:
        spec["resources"] = {"requests": {"storage": str(claim.size)}}
    return {"metadata": {"namespace": namespace, "name": name}, "spec": spec}


def _classes(api: LiveApi) -> dict[str, str]:
    """Of which class each volume was when it was backed up."""
    found = {}
    for one in api.list(_VOLUMES_KEPT):
        volume = at(one, ("spec", "volumeName")) or at(one, ("metadata", "name"))
        storage_class = mapping(one, "status").get("storageClassName")
        if storage_class:
            found[str(volume)] = str(storage_class)
    return found


def _gates(described: DescribedClaims) -> list[str]:
    """The namespace in which something waits for the restore, if it is described."""
    return [one.namespace for one in described.objects if (one.group, one.kind, one.name) == ("", "ConfigMap", RESTORED)]


def _empty(described: DescribedClaims, wishes: Sequence[Wish]) -> str:
    """Claims that begin with nothing, for whoever expected something."""
    given = {(one.namespace, one.claim) for one in wishes}
    left = [claim.qualified_name for key, claim in sorted(described.claims.items()) if key not in given]
    return f"; in no backup, and so empty: {', '.join(left)}" if left else ""


def _started(api: LiveApi, home: str, empty: str) -> Step:
    return Step(
        f"what needs volumes may start{empty}",
        "it would have begun on empty ones before",
        "none: what runs is not stopped by it",
        partial(_may_start, api, home),
        partial(_let_start, api, home),
        patience=900,
    )


def _may_start(api: LiveApi, home: str) -> StepState:
    found = api.get(_CONFIG_MAPS, RESTORED, home)
    if found is None:
        return waits(f"ConfigMap {home}/{RESTORED} is not there yet: Flux makes it, once waitForRestore is pushed", "./run doctor")
    return done() if at(found, ("data", "restored")) == "true" else due(f"say so in ConfigMap {home}/{RESTORED}")


def _let_start(api: LiveApi, home: str) -> None:
    api.merge(_CONFIG_MAPS, RESTORED, {"data": {"restored": "true"}}, home)


def _taken(api: LiveApi, wish: Wish) -> Step:
    return Step(
        f"claim {wish.label} has it",
        "its layer makes the claim when its turn comes",
        "none is needed",
        partial(_claimed, api, wish),
        patience=3600,
    )


def _claimed(api: LiveApi, wish: Wish) -> StepState:
    now = bound(api, wish)
    return waits("its layer has not made it yet", "./run doctor") if now.state == "due" else now
