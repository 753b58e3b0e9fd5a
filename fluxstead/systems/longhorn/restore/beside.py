"""`./run backup restore CLAIM --as NAME`: the backup in a new claim beside the old one, to be looked at. Nothing else changes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping, named
from fluxstead.live.procedure import Procedure, Step, StepState, done, due, fails, waits
from fluxstead.live.resources import Conflict, Refused
from fluxstead.live.verify.place import VOLUMES
from fluxstead.live.verify.storage import CLAIMS, CLASSES
from fluxstead.systems.longhorn.keeping import GROUP, NONE, SOURCE
from fluxstead.systems.longhorn.names import PROVISIONER
from fluxstead.systems.longhorn.restore.store import StoredBackup, backups_of, chosen, unusable
from fluxstead.systems.longhorn.restore.volume import OURS, given_back, volume_steps
from fluxstead.systems.longhorn.restore.wish import Wish, noted, wish_for, wish_in

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_LOOKED_AT = {SOURCE: "enabled", f"{GROUP}/{NONE}": "enabled"}
"""What is only looked at is in no backup itself."""


def beside(api: LiveApi, namespace: str, claim: str, name: str, at_: str = "") -> Procedure:
    """The procedure. `at_`: which backup, by its name; the newest without it."""
    words = f"backup restore {namespace}/{claim} --as {name}{f' --at {at_}' if at_ else ''}"
    return Procedure(words, partial(_begin, api, namespace, claim, name, at_), partial(_steps, api, claim, name))


def new_name(claim: str) -> str:
    """Of a volume that is restored; no two are called the same."""
    return f"restored-{claim[:40].rstrip('-.')}-{secrets.token_hex(4)}"


def backup_of(api: LiveApi, namespace: str, claim: str, at_: str) -> tuple[StoredBackup, Mapping[str, Any] | None]:
    """Which one comes back, and the claim as it is. Raises Refused and Unanswered."""
    now = api.get(CLAIMS, claim, namespace)
    kept = chosen(backups_of(api), namespace, claim, handle_of(api, now), at_)
    problem = unusable(api, kept)
    if problem:
        raise Refused(f"{problem}: ./run doctor; its server, its URL, and the Secret with its credentials")
    return kept, now


def handle_of(api: LiveApi, claim: Mapping[str, Any] | None) -> str:
    """What Longhorn calls the volume of a claim; empty where it has none. Raises Unanswered."""
    bound = str(at(claim, ("spec", "volumeName")) or "")
    found = api.get(VOLUMES, bound) if bound else None
    return str(at(found, ("spec", "csi", "volumeHandle")) or bound)


def _begin(api: LiveApi, namespace: str, claim: str, name: str, at_: str) -> Mapping[str, str]:
    if api.get(CLAIMS, name, namespace) is not None:
        raise Refused(f"claim {namespace}/{name} is there already: --as another name")
    kept, now = backup_of(api, namespace, claim, at_)
    like = now or _unclaimed(api, kept)
    wanted = {**like, "metadata": {"name": name, "namespace": namespace}}
    # One that is only looked at goes with its claim; one in the place of a lost claim is kept as its class has it.
    return noted(wish_for(api, kept, wanted, new_name(name), otherwise="Retain" if name == claim else "Delete"))


def _unclaimed(api: LiveApi, kept: StoredBackup) -> Mapping[str, Any]:
    """Of a claim that is gone: the first class of Longhorn's, and the backup's size."""
    classes = sorted(named(one).name for one in api.list(CLASSES) if one.get("provisioner") == PROVISIONER)
    first = min(classes, key=lambda one: (one != "longhorn", one), default="")
    return {"spec": {"storageClassName": first, "resources": {"requests": {"storage": str(kept.size)}}}}


def _steps(api: LiveApi, claim: str, name: str, notes: Mapping[str, str]) -> Sequence[Step]:
    wish = wish_in(notes)
    return (
        *volume_steps(api, wish),
        Step(
            f"claim {wish.label} has it",
            "pods reach data through a claim",
            f"kubectl -n {wish.namespace} delete pvc {wish.claim}",
            partial(bound, api, wish),
            partial(_claim, api, wish, _labels(name == claim)),
        ),
        given_back(api, wish),
    )


def bound(api: LiveApi, wish: Wish) -> StepState:
    """Whether the claim has this volume."""
    found = api.get(CLAIMS, wish.claim, wish.namespace)
    if found is None:
        return due(f"make claim {wish.label}")
    volume = str(at(found, ("spec", "volumeName")) or "")
    if volume not in {"", wish.volume}:
        return fails(f"claim {wish.label} has another volume, {volume}", f"kubectl -n {wish.namespace} get pvc {wish.claim}")
    phase = str(at(found, ("status", "phase")) or "")
    return (
        done() if phase == "Bound" else waits(f"it is {phase or 'new'}", f"kubectl -n {wish.namespace} describe pvc {wish.claim}")
    )


def _labels(lost: bool) -> Mapping[str, str]:  # noqa: FBT001 -- of whether the name is the lost claim's own
    """What is only looked at is in no backup; a claim that was lost has those of its maker, once that applies it again."""
    return {} if lost else {**OURS, **_LOOKED_AT}


def _claim(api: LiveApi, wish: Wish, labels: Mapping[str, str]) -> None:
    make_claim(api, wish, {"labels": dict(labels)})


def make_claim(api: LiveApi, wish: Wish, metadata: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> None:
    """The claim, for this volume alone. Raises Unanswered."""
    try:
        api.create(CLAIMS, claim_object(wish, metadata, more))
    except Conflict:
        return


def claim_object(wish: Wish, metadata: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The claim as it is made. `more`: what else it asks for."""
    spec = {
        **(more or {}),
        "accessModes": list(wish.modes),
        "storageClassName": wish.storage_class,
        "volumeMode": "Block" if wish.block else "Filesystem",
        "resources": {**mapping(more or {}, "resources"), "requests": {"storage": wish.request or str(wish.size)}},
        "volumeName": wish.volume,
    }
    own = {key: value for key, value in metadata.items() if value}
    place = {"name": wish.claim, "namespace": wish.namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {**own, **place}, "spec": spec}
