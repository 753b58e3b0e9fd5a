"""The claim that a backup comes back to: which volume it has, and how it is made for another."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping
from fluxstead.live.making import make
from fluxstead.live.procedure import StepState, done, due, fails, waits
from fluxstead.live.resources import CLAIMS, VOLUMES, Refused
from fluxstead.systems.longhorn.restore.store import StoredBackup, backups_of, chosen, unusable
from fluxstead.systems.longhorn.restore.wish import Wish

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi


def new_name(claim: str) -> str:
    """Of a volume that is restored; no two are called the same."""
    return f"restored-{claim[:40].rstrip('-.')}-{secrets.token_hex(4)}"


def handle_of(api: LiveApi, claim: Mapping[str, Any] | None) -> str:
    """What Longhorn calls the volume of a claim; empty where it has none. Raises Unanswered."""
    bound = str(at(claim, ("spec", "volumeName")) or "")
    found = api.get(VOLUMES, bound) if bound else None
    return str(at(found, ("spec", "csi", "volumeHandle")) or bound)


def backup_of(api: LiveApi, namespace: str, claim: str, at_: str) -> tuple[StoredBackup, Mapping[str, Any] | None]:
    """Which one comes back, and the claim as it is. Raises Refused and Unanswered."""
    now = api.get(CLAIMS, claim, namespace)
    kept = chosen(backups_of(api), namespace, claim, handle_of(api, now), at_)
    problem = unusable(api, kept)
    if problem:
        raise Refused(f"{problem}: ./run doctor; its server, its URL, and the Secret with its credentials")
    return kept, now


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


def make_claim(api: LiveApi, wish: Wish, metadata: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> None:
    """The claim, for this volume alone. Raises Unanswered."""
    make(api, CLAIMS, claim_object(wish, metadata, more))


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
