"""`./run backup restore --all`: a new cluster from an old one's backups, before anything starts on an empty volume.

With `waitForRestore`, whatever needs volumes waits for a word in a ConfigMap. Before it is said, every claim that has a backup gets
its volume, which it takes as soon as it is there itself, since nothing else can. What is there already is left alone.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping, named
from fluxstead.live.procedure import Procedure, Step, StepState, done, due, waits
from fluxstead.live.resources import CLAIMS, CONFIG_MAPS, Refused
from fluxstead.systems.longhorn.resources import KEPT, TARGETS
from fluxstead.systems.longhorn.restore.claim import bound, new_name
from fluxstead.systems.longhorn.restore.store import StoredBackup, backups_of
from fluxstead.systems.longhorn.restore.volume import given_back, volume_steps
from fluxstead.systems.longhorn.restore.wish import Wish, wish_for, wish_from
from fluxstead.systems.longhorn.storage import RESTORED

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi
    from fluxstead.live.kept import DescribedClaims

_NOTE, _NOT = "all", "not"
"""Noted when it begins: what is restored, packed since a cluster may have a thousand claims, and what cannot be."""
_PAGE = "docs/tasks/backups.md"


def everything(api: LiveApi, described: DescribedClaims) -> Procedure:
    """The procedure."""
    return Procedure("backup restore --all", partial(_begin, api, described), partial(_steps, api, described))


def _begin(api: LiveApi, described: DescribedClaims) -> Mapping[str, str]:
    unread = _unread(api)
    if unread:
        raise Refused(f"nobody knows yet what there is to restore: {unread}; ./run doctor, then the same command; {_PAGE}")
    newest = _newest(backups_of(api), described)
    left = {key: kept for key, kept in newest.items() if not _has_volume(api, *key)}
    if not left:
        way = "; if this is the first cluster, no waitForRestore" if _gates(described) else ""
        raise Refused(f"nothing is to be restored: no claim that is described lacks a volume and has a backup; ./run backup{way}")
    wishes, refused, classes = list[Wish](), list[str](), _classes(api)
    for key, kept in sorted(left.items()):
        try:
            wishes.append(wish_for(api, kept, _like(described, key, kept, classes), new_name(key[1])))
        except Refused as problem:
            refused.append(f"{'/'.join(key)}: {problem}")
    return {_NOTE: _packed(wishes), _NOT: "; ".join(refused)}


def _packed(wishes: Sequence[Wish]) -> str:
    text = json.dumps([one._asdict() for one in wishes])
    return base64.b64encode(zlib.compress(text.encode())).decode()


def _unpacked(text: str) -> list[Wish]:
    return [wish_from(one) for one in json.loads(zlib.decompress(base64.b64decode(text)))]


def _unread(api: LiveApi) -> str:
    """What Longhorn has not read of its targets yet; empty where it has read all of them.

    A target is available before any of its backups is listed, and each is listed before anything is known of it (longhorn-manager:
    controller/backup_target_controller.go, backup_volume_controller.go, backup_controller.go).
    """
    targets = [one for one in api.list(TARGETS) if at(one, ("spec", "backupTargetURL"))]
    if not targets:
        return "there is no backup target"
    for one in targets:
        if at(one, ("status", "available")) is not True:
            return f"the backup target {named(one).name} is not available"
        if not at(one, ("status", "lastSyncedAt")):
            return f"Longhorn has not read the backup target {named(one).name} yet"
    known = {one.name for one in backups_of(api)}
    for one in api.list(KEPT):
        last = str(at(one, ("status", "lastBackupName")) or "")
        if not at(one, ("status", "lastSyncedAt")) or (last and last not in known):
            return f"Longhorn has not read the backups of {at(one, ('spec', 'volumeName')) or named(one).name} yet"
    return ""


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
    wishes = _unpacked(notes[_NOTE])
    of_volumes = [volume_steps(api, one) for one in wishes]
    empty = _empty(described, wishes, notes.get(_NOT, ""))
    return (
        # Side by side: all are read from the target at once.
        *(step for steps in zip(*of_volumes, strict=True) for step in steps),
        *(_started(api, home, empty) for home in _gates(described)),
        *(step for one in wishes for step in _to_its_end(api, described, one)),
    )


def _to_its_end(api: LiveApi, described: DescribedClaims, wish: Wish) -> Iterator[Step]:
    """A claim that only the backup knows may be nobody's any more: it is not waited for."""
    if (wish.namespace, wish.claim) in described.claims:
        yield _taken(api, wish)
    yield given_back(api, wish)


def _like(described: DescribedClaims, key: tuple[str, str], kept: StoredBackup, classes: Mapping[str, str]) -> Mapping[str, Any]:
    """The claim as it will be made: by the description, or as it was when it was backed up."""
    claim = described.claims.get(key)
    spec: dict[str, Any] = {"storageClassName": claim.storage_class if claim else classes.get(kept.volume, "longhorn")}
    if claim:
        spec |= {"resources": {"requests": {"storage": str(claim.size)}}, "accessModes": [claim.access_mode]}
    return {"metadata": {"namespace": key[0], "name": key[1]}, "spec": spec}


def _classes(api: LiveApi) -> dict[str, str]:
    """Of which class each volume was when it was backed up."""
    found = {}
    for one in api.list(KEPT):
        volume = at(one, ("spec", "volumeName")) or at(one, ("metadata", "name"))
        storage_class = mapping(one, "status").get("storageClassName")
        if storage_class:
            found[str(volume)] = str(storage_class)
    return found


def _gates(described: DescribedClaims) -> list[str]:
    """The namespace in which something waits for the restore, if it is described."""
    return [one.namespace for one in described.objects if (one.group, one.kind, one.name) == ("", "ConfigMap", RESTORED)]


def _empty(described: DescribedClaims, wishes: Sequence[Wish], refused: str) -> str:
    """Claims that begin with nothing, for whoever expected something."""
    given = {(one.namespace, one.claim) for one in wishes}
    left = [claim.qualified_name for key, claim in sorted(described.claims.items()) if key not in given]
    said = f"; in no backup, and so empty: {', '.join(left)}" if left else ""
    return f"{said}; not restored: {refused}" if refused else said


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
    found = api.get(CONFIG_MAPS, RESTORED, home)
    if found is None:
        return waits(f"ConfigMap {home}/{RESTORED} is not there yet: Flux makes it, once waitForRestore is pushed", "./run doctor")
    if at(found, ("data", "restored")) == "true":
        return done()
    unread = _unread(api)
    return waits(unread) if unread else due(f"say so in ConfigMap {home}/{RESTORED}")


def _let_start(api: LiveApi, home: str) -> None:
    api.merge(CONFIG_MAPS, RESTORED, {"data": {"restored": "true"}}, home)


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
