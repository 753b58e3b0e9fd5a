"""What the API server refuses to change, and claims that only grow (failure F28)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.catalog.immutable import ImmutableChange, differences
from fluxstead.checks.past import Transition
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.apply import FORCE, is_left_alone, is_recreated
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import mapping

IMMUTABLE = refuses(
    "moves/immutable", "F28", "StorageClass fast in HEAD differs in `parameters`", "the tree and the commits before it"
)
CLAIM_EMPTIED = refuses(
    "moves/claim-emptied",
    "F28",
    "PersistentVolumeClaim web/data in HEAD differs in `spec.storageClassName`, and Flux may delete it for that",
    "the tree and the commits before it",
)
CLAIM_SHRINKS = refuses(
    "moves/claim-shrinks",
    "F28",
    "PersistentVolumeClaim web/data in HEAD asks for 5Gi, and now for 2Gi",
    "the tree and the commits before it",
)
CLAIM_CANNOT_GROW = refuses(
    "moves/claim-cannot-grow",
    "F28",
    "PersistentVolumeClaim web/data in HEAD asks for 2Gi, and now for 5Gi, of a class without allowVolumeExpansion",
    "the tree and the commits before it",
)

_STUCK = "the API server refuses the change, and the layer never becomes ready again (F28)"
_WAYS = {
    "PersistentVolumeClaim": "what it was, and another name for the new one",
    "Job": f"another name, such as one that ends in its version, or the annotation {FORCE}: enabled, with which Flux deletes "
    "it and runs it again",
    "StatefulSet": "what it was; or `kubectl delete statefulset --cascade=orphan` right before the commit arrives, which leaves "
    "its pods and claims, and each claim then changed by hand",
    "CustomResourceDefinition": "another name: with force, Flux would delete every object of this kind",
    "PersistentVolume": "what it was, and another name for the new one",
}
"""What to do about it, where deleting the object and making it anew is not it."""
_ANEW = f"another name, or the annotation {FORCE}: enabled, with which Flux deletes and recreates it"


def immutable(move: Transition) -> Iterator[Finding]:
    """Objects whose change the API server refuses, unless Flux deletes and recreates them."""
    if move.nothing_is_left:
        return
    alike: dict[tuple[Source, str, str, bool], list[AppliedObject]] = {}
    for old, new in move.changed:
        if not (old.is_final and new.is_final) or is_left_alone(new):
            continue
        is_claim = new.ref.kind == "PersistentVolumeClaim"
        if is_recreated(new) and not is_claim:
            continue
        for found in differences(new.ref.group, new.ref.kind, old.object, new.object):
            place = line_with(move.now.store, new.document, *_words(found))
            alike.setdefault((place, new.ref.kind, found.path, is_recreated(new)), []).append(new)
        if is_claim:
            yield from _resized(move, old, new)
    for (place, _, path, anew), items in alike.items():
        yield (_emptied if anew else _refused)(place, move.name, path, items)


def _refused(place: Source, name: str, path: str, items: Sequence[AppliedObject]) -> Finding:
    return IMMUTABLE(
        place,
        what=f"{_told(name, items)} in `{path}`",
        why=_STUCK,
        fix=_WAYS.get(items[0].ref.kind, _ANEW),
    )


def _emptied(place: Source, name: str, path: str, items: Sequence[AppliedObject]) -> Finding:
    return CLAIM_EMPTIED(
        place,
        what=f"{_told(name, items)} in `{path}`, and Flux may delete it for that",
        why="the API server refuses the change, and with force Flux makes an empty claim in place of the one with the data (F28)",
        fix="what it was, and another name for the new one",
    )


def _told(name: str, items: Sequence[AppliedObject]) -> str:
    """One line in a shared file changes all that are made from it."""
    more = len(items) - 1
    return f"{items[0].ref} in {name}{f', as {more} more,' if more else ''} differs"


def _words(found: ImmutableChange) -> list[str]:
    whole = isinstance(found.value, (str, int)) and not isinstance(found.value, bool) and bool(str(found.value))
    return [*([f"{found.key}: {found.value}", str(found.value)] if whole else []), f"{found.key}:"]


def _resized(move: Transition, old: AppliedObject, new: AppliedObject) -> Iterator[Finding]:
    was, now = (Quantity.read(_requested(item)) for item in (old, new))
    if was is None or now is None or was.amount == now.amount:
        return
    place = line_with(move.now.store, new.document, f"storage: {now}", "storage:")
    told = f"{new.ref} in {move.name} asks for {was}, and now for {now}"
    if now.amount < was.amount:
        lost = is_recreated(new)
        yield CLAIM_SHRINKS(
            place,
            what=told,
            why=f"no volume becomes smaller: {'with force Flux deletes it, and makes an empty one (F28)' if lost else _STUCK}",
            fix=f"{was}, or another claim, and its data copied",
        )
    elif _cannot_grow(move.now, new):
        yield CLAIM_CANNOT_GROW(
            place,
            what=f"{told}, of {'a class without allowVolumeExpansion' if new.spec.get('storageClassName') else 'no class'}",
            why=_STUCK,
            fix=f"{was}; or allowVolumeExpansion: true in its class, if that can, or another claim, and its data copied",
        )


def _requested(item: AppliedObject) -> object:
    return mapping(mapping(item.spec, "resources"), "requests").get("storage")


def _cannot_grow(tree: AppliedTree, claim: AppliedObject) -> bool:
    """By its class; without one nothing grows (kubernetes: plugin/pkg/admission/storage/persistentvolume/resize, `allowResize`)."""
    name = claim.spec.get("storageClassName")
    if name == "":
        return True
    found = tree.one(ObjectRef("storage.k8s.io", "StorageClass", "", str(name)))
    return found is not None and found.is_final and found.object.get("allowVolumeExpansion") is not True


MOVES = (Rule(immutable, (IMMUTABLE, CLAIM_EMPTIED, CLAIM_SHRINKS, CLAIM_CANNOT_GROW)),)
