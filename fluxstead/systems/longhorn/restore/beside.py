"""`./run backup restore CLAIM --as NAME`: the backup in a new claim beside the old one, to be looked at. Nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import named
from fluxstead.live.procedure import Procedure, Step
from fluxstead.live.resources import CLAIMS, CLASSES, Refused
from fluxstead.systems.longhorn.keeping import GROUP, NONE, SOURCE
from fluxstead.systems.longhorn.names import PROVISIONER
from fluxstead.systems.longhorn.restore.claim import backup_of, bound, make_claim, new_name
from fluxstead.systems.longhorn.restore.store import StoredBackup
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


def _labels(lost: bool) -> Mapping[str, str]:  # noqa: FBT001 -- of whether the name is the lost claim's own
    """What is only looked at is in no backup; a claim that was lost has those of its maker, once that applies it again."""
    return {} if lost else {**OURS, **_LOOKED_AT}


def _claim(api: LiveApi, wish: Wish, labels: Mapping[str, str]) -> None:
    make_claim(api, wish, {"labels": dict(labels)})
