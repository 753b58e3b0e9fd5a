"""What is noted when a restore in place begins: the claim, the volume that it has, who uses it, and who applies all that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.shape import at, entries_of, mapping
from fluxstead.live.lease import unfinished
from fluxstead.live.left_alone import Applier, applier_from, appliers_of
from fluxstead.live.resources import CLAIMS, VOLUMES, Refused
from fluxstead.live.using import ScaledWorkload, scaled_from, users_of
from fluxstead.systems.longhorn.resources import LIVE
from fluxstead.systems.longhorn.restore.claim import backup_of, claim_object, handle_of, new_name
from fluxstead.systems.longhorn.restore.wish import Former, Wish, noted, wish_for, wish_in

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_KEPT = frozenset({"selector", "volumeAttributesClassName", "resources"})
"""What else a claim asks for, and never may change. What it was made from is not asked for again."""
_LEFT_OUT = ("pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/")
"""Annotations of a claim that belong to the volume that it had (kubernetes: pkg/volume/util, pv_controller)."""


class Before:
    """What was noted when it began: the claim, its volume, who uses it, and who applies all that."""

    def __init__(self, notes: Mapping[str, str]) -> None:
        self.wish: Wish = wish_in(notes)
        found = json.loads(notes["before"])
        self.uid, self.volume, self.handle = str(found["uid"]), str(found["volume"]), str(found["handle"])
        self.metadata: Mapping[str, Any] = found["metadata"]
        self.users: list[ScaledWorkload] = [scaled_from(one) for one in found["users"]]
        self.more: Mapping[str, Any] = found["more"]
        self.appliers: list[Applier] = [applier_from(one) for one in found["appliers"]]

    @property
    def suspended_here(self) -> list[Applier]:
        """Those that nobody had suspended before."""
        return [one for one in self.appliers if not one.suspended]


def begin(api: LiveApi, namespace: str, claim: str, at_: str) -> Mapping[str, str]:
    """Look, and refuse what would not end well, before anything is changed. Raises Refused and Unanswered."""
    kept, now = backup_of(api, namespace, claim, at_)
    volume = str(at(now, ("spec", "volumeName")) or "")
    if now is None:
        raise Refused(f"claim {namespace}/{claim} is not there: --as {claim} gives it back with the backup")
    if not volume:
        do = f"kubectl -n {namespace} delete pvc {claim}, then --as {claim}, which gives it back with the backup"
        raise Refused(f"claim {namespace}/{claim} has no volume yet: {do}")
    users = users_of(api, namespace, claim)
    if users.others:
        raise Refused(f"{'; '.join(users.others)}: scale it away by hand, or restore beside (--as) and copy")
    handle = handle_of(api, now)
    former = Former(api.get(VOLUMES, volume) or {}, api.get(LIVE, handle, kept.home) or {})
    wish = wish_for(api, kept, now, new_name(claim), former=former)
    more = {key: value for key, value in mapping(now, "spec").items() if key in _KEPT}
    metadata = dict(_kept_metadata(now))
    _admitted(api, wish, metadata, more)
    left = _left_before(api, wish)
    before = {
        "uid": str(at(now, ("metadata", "uid"))),
        "volume": volume,
        "handle": handle,
        "metadata": metadata,
        "more": more,
        "users": [one._replace(replicas=left.users.get(one.label, one.replicas)).written() for one in users.workloads],
        "appliers": [
            one._replace(suspended=one.suspended and one.label not in left.appliers).written()
            for one in appliers_of(api, (now, *users.objects))
        ],
    }
    return {**noted(wish), "before": json.dumps(before)}


class _Left(NamedTuple):
    """What a restore of the same claim that was abandoned had stopped: how many pods there were, and whom of Flux it suspended."""

    users: Mapping[str, int]
    appliers: frozenset[str]


def _left_before(api: LiveApi, wish: Wish) -> _Left:
    """So that it runs again in the end, and not as it was left."""
    given_up = unfinished(api)
    if not given_up.words.startswith(f"backup restore {wish.label} --in-place"):
        return _Left({}, frozenset())
    try:
        before = Before(given_up.notes)
    except (KeyError, ValueError, TypeError):
        return _Left({}, frozenset())
    return _Left({one.label: one.replicas for one in before.users}, frozenset(one.label for one in before.suspended_here))


def _admitted(api: LiveApi, wish: Wish, metadata: Mapping[str, Any], more: Mapping[str, Any]) -> None:
    """Whether the claim would be let in again, before it is deleted: quotas and policies may have changed since it was made."""
    tried = wish._replace(claim=f"{wish.claim[:200]}-again")
    try:
        api.create(CLAIMS, claim_object(tried, metadata, more), dry_run=True)
    except Refused as problem:
        raise Refused(f"the claim could not be made again once it is deleted: {problem}") from None


def _kept_metadata(claim: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What people, charts and Flux wrote on it."""
    metadata = mapping(claim, "metadata")
    owners = entries_of(metadata, "ownerReferences")
    if owners:
        yield "ownerReferences", [dict(one) for one in owners]
    for key in ("labels", "annotations"):
        found = mapping(metadata, key)
        yield key, {str(name): str(value) for name, value in found.items() if not str(name).startswith(_LEFT_OUT)}
