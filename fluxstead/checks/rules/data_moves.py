"""What a commit does to data that stays: an image that cannot read it, a claim that begins empty, a copy that no longer counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.data_images import unreadable_data
from fluxstead.catalog.databases import DATABASES
from fluxstead.catalog.kinds import WORKLOADS, pod_in
from fluxstead.checks.objects.claims import asks_for_claims, claims_of
from fluxstead.checks.objects.pods import containers_of
from fluxstead.checks.past import Transition
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.apply import is_left_alone, is_recreated
from fluxstead.checks.reading.pruning import would_be_pruned
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.reading.values_from import values_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import at, entries_of, mapping

OTHER_MAJOR = warns(
    "moves/data-version",
    "F9",
    "Deployment web/db in HEAD runs postgres:16, and now postgres:17, on the same claim",
    "the tree and the commits before it",
)
CLAIM_ANEW = warns(
    "moves/claim-anew",
    "U10",
    "PersistentVolumeClaim web-dev/web in HEAD leaves the tree, and web-test/web is new",
    "the tree and the commits before it",
)
DATA_STAYS = warns(
    "moves/data-stays",
    "U10",
    "PersistentVolumeClaim web/photos in HEAD leaves the tree, and stays in the cluster with its data",
    "the tree and the commits before it",
)
NO_LONGER_KEPT = warns(
    "moves/no-longer-kept",
    "U10",
    "StorageClass fast in HEAD has reclaimPolicy Retain, and now Delete",
    "the tree and the commits before it",
)
MAJORITY_LEAVES = warns(
    "moves/majority-leaves",
    "F18",
    "StatefulSet web/etcd in HEAD has 3 replicas, and now 1",
    "the tree and the commits before it",
)

_CLAIM = "PersistentVolumeClaim"
_KEPT = {
    "PersistentVolume": (("spec.persistentVolumeReclaimPolicy", "Retain"),),
    "StorageClass": (("reclaimPolicy", "Delete"),),
    "StatefulSet": tuple((f"spec.persistentVolumeClaimRetentionPolicy.{key}", "Retain") for key in ("whenDeleted", "whenScaled")),
}
"""Where a kind says what becomes of data, and what is meant where it does not."""
_VOTERS = 3


def data(move: Transition) -> Iterator[Finding]:
    """What changes around data that is there."""
    if move.nothing_is_left:
        return
    yield from _claims_left(move)
    for old, new in move.changed:
        if not (old.is_final and new.is_final) or is_left_alone(new):
            continue
        yield from _policies(move, old, new)
        if new.ref.kind in WORKLOADS:
            yield from _majors(move, new, _images_on_claims(old), _images_on_claims(new))
            yield from _voters(move, old, new)
        elif (new.ref.group, new.ref.kind) in DATABASES:
            yield from _database(move, old, new)
    for old, new in move.releases():
        if new.keeps("spec", "values"):
            before, after = values_of(move.before, old).certain, values_of(move.now, new).certain
            was, now = (dict(_images_in(values, ())) for values in (before, after))
            if was != now and asks_for_claims(after):
                yield from _majors(move, new, was, now)


def _majors(move: Transition, new: AppliedObject, was: Mapping[Any, str], now: Mapping[Any, str]) -> Iterator[Finding]:
    for key in was.keys() & now.keys():
        product = unreadable_data(was[key], now[key])
        if product:
            yield OTHER_MAJOR(
                move.context.place_in_values(new, *key, "tag")
                if new.ref.kind == "HelmRelease"
                else line_with(move.now.store, new.document, now[key]),
                what=f"{new.ref} in {move.name} runs {was[key]}, and now {now[key]}, on the same claim",
                why=f"{product.title} does not start on the data of that version",
                fix=f"{was[key]}" + (f"; or {product.way}" if product.way else ""),
            )


def _database(move: Transition, old: AppliedObject, new: AppliedObject) -> Iterator[Finding]:
    """Another major version of what an operator runs on claims of its own."""
    database = DATABASES[new.ref.group, new.ref.kind]
    was, now = database.major(old.spec), database.major(new.spec)
    if was is None or now is None or was == now:
        return
    yield OTHER_MAJOR(
        line_with(move.now.store, new.document, *database.keys),
        what=f"{new.ref} in {move.name} runs {database.title} {was}, and now {now}, on the same claims",
        why=database.up if now > was else database.down,
        fix=f"{database.title} {was}" + (f"; {database.fix}" if now > was else ""),
    )


def _images_on_claims(item: AppliedObject) -> dict[tuple[str, str], str]:
    """The images of containers that mount a claim, by container and claim."""
    pod = pod_in(item.object) or {}
    claims = claims_of(mapping(pod, "spec"))
    for template in entries_of(item.spec, "volumeClaimTemplates"):
        name = str(mapping(template, "metadata").get("name"))
        claims[name] = name
    return {
        (str(container.get("name")), claims[name]): str(container.get("image"))
        for container in containers_of(pod)
        for name in (str(mount.get("name")) for mount in entries_of(container, "volumeMounts"))
        if name in claims
    }


def _images_in(values: Any, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The images in a chart's values, by where they stand."""
    if not isinstance(values, Mapping):
        return
    repository, tag = values.get("repository"), values.get("tag")
    if isinstance(repository, str) and isinstance(tag, (str, int, float)):
        yield way, f"{repository}:{tag}"
    for key, value in values.items():
        yield from _images_in(value, (*way, str(key)))


def _policies(move: Transition, old: AppliedObject, new: AppliedObject) -> Iterator[Finding]:
    if new.ref.kind == "StorageClass" and not is_recreated(new):
        return  # the change is refused
    for path, default in _KEPT.get(new.ref.kind, ()):
        was, now = (at(item.object, path.split(".")) or default for item in (old, new))
        key = path.rpartition(".")[2]
        if (was, now) == ("Retain", "Delete"):
            yield NO_LONGER_KEPT(
                line_with(move.now.store, new.document, f"{key}:"),
                what=f"{new.ref} in {move.name} has {key} Retain, and now Delete",
                why="the data then go with the claim, by whatever hand it is deleted",
                fix="Retain, unless the data can be lost",
            )


def _voters(move: Transition, old: AppliedObject, new: AppliedObject) -> Iterator[Finding]:
    """A set with volumes that loses most of its members at once; a set of none is switched off."""
    was, now = (item.spec.get("replicas", 1) for item in (old, new))
    if new.ref.kind != "StatefulSet" or not new.spec.get("volumeClaimTemplates"):
        return
    if isinstance(was, int) and isinstance(now, int) and was >= _VOTERS and 0 < now <= was // 2:
        yield MAJORITY_LEAVES(
            line_with(move.now.store, new.document, "replicas:"),
            what=f"{new.ref} in {move.name} has {was} replicas, and now {now}",
            why="if its members vote, those that stay are no majority, and can neither write nor remove the others",
            fix=f"{was - 1} first, and one fewer with each commit, each member removed from the others' list before",
        )


def _claims_left(move: Transition) -> Iterator[Finding]:
    """A claim that stays behind: alone, or while one of its name begins elsewhere, or while its workload takes a new one."""
    gone = [old for old in move.before.of(_CLAIM) if old.ref not in move.now.by_ref and not would_be_pruned(old, move.now)]
    if not gone:
        return
    made = [item for item in move.now.of(_CLAIM) if item.ref not in move.before.by_ref]
    by_name = {item.ref.name: item for item in reversed(made)}
    taken = _replaced(move, {item.ref: item for item in made})
    for old in gone:
        same = by_name.get(old.ref.name)
        new = taken.get(old.ref) or (same if same and same.spec == old.spec else None)
        if new is not None:
            yield CLAIM_ANEW(
                new.source,
                what=f"{old.ref} in {move.name} leaves the tree, and {new.ref.qualified_name} is new",
                why="the new claim begins empty, and what was written stays in the old one, which nothing mounts any more (U10)",
                fix=f"{old.ref.qualified_name}, as before; or the data copied, if {new.ref.qualified_name} is to go on with them",
            )
        elif not _leaves(move, old.ref.namespace):
            delete = f"`kubectl delete persistentvolumeclaim {old.ref.name} -n {old.ref.namespace}`"
            yield DATA_STAYS(
                old.source,
                what=f"{old.ref} in {move.name} leaves the tree, and stays in the cluster with its data",
                why="they go on using disks and backups, and nothing mounts them any more",
                fix=f"it as it was, or, if the data are meant to go, {delete} once the commit has arrived",
            )


def _leaves(move: Transition, namespace: str) -> bool:
    """Whether the namespace leaves too, which tells of what is in it."""
    ref = ObjectRef("", "Namespace", "", namespace)
    return ref in move.before.by_ref and ref not in move.now.by_ref


def _replaced(move: Transition, made: Mapping[ObjectRef, AppliedObject]) -> dict[ObjectRef, AppliedObject]:
    """The new claims by those that stood in the same volume of the same workload before."""
    found: dict[ObjectRef, AppliedObject] = {}
    for old, new in move.changed if made else ():
        if new.ref.kind not in WORKLOADS:
            continue
        was, now = (_volumes(item) for item in (old, new))
        for name in was.keys() & now.keys():
            if was[name] != now[name] and now[name] in made:
                found[was[name]] = made[now[name]]
    return found


def _volumes(item: AppliedObject) -> dict[str, ObjectRef]:
    claims = claims_of(mapping(pod_in(item.object) or {}, "spec"))
    return {name: ObjectRef("", _CLAIM, item.ref.namespace, claim) for name, claim in claims.items()}


MOVES = (Rule(data, (OTHER_MAJOR, CLAIM_ANEW, DATA_STAYS, NO_LONGER_KEPT, MAJORITY_LEAVES)),)
