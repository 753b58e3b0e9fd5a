"""Departures: what a commit takes out of the tree, and what then becomes of it in the cluster (failures F18, F27).

Flux deletes it, or nobody owns it any more. Where much leaves at once, the cause is told and not what each part of it would need:
advice to empty every disk is not a cure for a file that was emptied.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.objects.claims import volumes_by_namespace
from fluxstead.checks.reading.view import KUSTOMIZE, PRUNE, Item, Unit, View, annotation, reconciles_itself
from fluxstead.checks.rules.transitions import Transition
from fluxstead.checks.subject import Subject
from fluxstead.core.findings import Finding, Source, error, warning
from fluxstead.core.shape import mapping
from fluxstead.tree.entry import entry_path

GUARDED = frozenset(
    {"Namespace", "CustomResourceDefinition", "HelmRelease", "PersistentVolumeClaim", "PersistentVolume", "Node", "StorageClass"}
)
"""What takes data or other objects with it when it goes."""
_ORPHANS = frozenset({"Namespace", "CustomResourceDefinition", "HelmRelease"})
"""What goes on running, or makes others run, when nobody owns it."""


def everything_left(move: Transition) -> Finding:
    """Told where nothing of a committed tree is reached any more, in place of what would become of each object."""
    subject = move.subject
    place = entry_path(subject.platform.cluster) if subject.platform else next((unit.name for unit in move.now.entries), ".")
    return error(
        "moves/everything-left",
        Source(place),
        what=f"nothing that Flux reconciles in {move.name} is reached from {place} any more",
        why="Flux would prune all that it may, and leave the rest to nobody (F27)",
        write=f"`git checkout {move.name} -- {place}`, or a Kustomization there that leads to the tree",
    )


def left(move: Transition) -> Iterator[Finding]:
    """What is in a committed tree and in this one no more. Of what registers disks, its own system tells."""
    before, now, known = move.before, move.now, move.known
    moved = move.moved_releases()
    yield from (_second_release(move, old, new) for old, new in moved)
    for ref, items in before.by_ref.items():
        old = items[0]
        if ref in now.by_ref or ref.kind not in GUARDED or ref.group == KUSTOMIZE or known.registers_disks(old):
            continue
        if would_be_pruned(old, now):
            if ref.kind != "Namespace" or ref.name in volumes_by_namespace(known, before):
                yield pruned(move.name, old)
        elif ref.kind in _ORPHANS and not moved:
            way = f"it as it was, or, if it is to go, {_deletion(move.subject, before, old)} once the commit has arrived"
            yield _orphan(move.name, old, way)


def orphans(subject: Subject) -> Iterator[Finding]:
    """What the last commit took out of the tree, by hand or on purpose, and Flux left in the cluster."""
    if subject.last is None:
        return
    before, after = subject.last
    for ref, items in before.by_ref.items():
        old = items[0]
        if ref.kind not in _ORPHANS or ref in after.by_ref or would_be_pruned(old, after):
            continue
        if ref in subject.view.by_ref:
            write = "a commit with what `./run render` writes: it is still described" if subject.described else "a commit with it"
        elif any(ref in view.by_ref for view in subject.before.values()):
            continue  # told of what is pushed
        else:
            back = f"`git checkout HEAD~ -- {old.document.path}`, and its line in the list"
            write = f"{back}; or, if it is to go, {_deletion(subject, before, old)}"
        yield _orphan("HEAD~", old, write)


def _orphan(name: str, old: Item, write: str) -> Finding:
    return warning(
        "moves/orphaned",
        old.source,
        what=f"{old.ref} in {name} leaves the tree, and stays in the cluster without an owner",
        why="what it runs goes on, and no commit changes, upgrades or repairs it any more",
        write=write,
    )


def _deletion(subject: Subject, before: View, old: Item) -> str:
    own = subject.known.chart(before, old).holds_volumes if old.ref.kind == "HelmRelease" else ""
    if own:
        return own
    where = f" -n {old.ref.namespace}" if old.ref.namespace else ""
    return f"`kubectl delete {old.ref.kind.lower()} {old.ref.name}{where}`"


def would_be_pruned(old: Item, now: View) -> bool:
    """Whether Flux deletes the object once the Kustomization that applied it does not list it any more.

    Flux reads the annotation on the live object, so that only what was committed before counts.
    """
    if annotation(old, PRUNE) == "disabled":
        return False
    if _gone(old.unit, now):
        return _deletes_with_it(old.unit)
    own = old.unit.spec if old.unit.document is not None else reconciles_itself(old.unit)
    return bool(own.get("prune"))


def _gone(unit: Unit, now: View) -> bool:
    return unit.document is not None and unit.key not in now.units


def _deletes_with_it(unit: Unit) -> bool:
    """Whether the Kustomization's own deletion takes what it applied with it (its `deletionPolicy`), and is to happen at all."""
    policy = unit.spec.get("deletionPolicy", "MirrorPrune")
    kept = mapping(mapping(unit.document.data, "metadata"), "annotations").get(PRUNE) == "disabled" if unit.document else True
    return not kept and policy != "Orphan" and (policy != "MirrorPrune" or bool(unit.spec.get("prune")))


def _second_release(move: Transition, old: Item, new: Item) -> Finding:
    chart = move.known.chart(move.now, new)
    return error(
        "moves/second-release",
        new.source,
        what=f"{old.ref} in {move.name} becomes {new.ref}",
        why=f"a second {chart} would start beside the first, on the same disks, and know none of its volumes (F5)",
        write=f"name {old.ref.name} and namespace {old.ref.namespace}, as they were: {chart} does not move",
    )


def pruned(name: str, old: Item) -> Finding:
    """Told of what Flux deletes with the commit."""
    return error(
        "moves/left",
        old.source,
        what=f"{old.ref} in {name} leaves the tree, and what is committed lets Flux prune it",
        why="Flux deletes it within seconds, and with it the volumes and custom resources that hang on it (F27)",
        write=_first_commit(old, "2. the change that takes it away"),
    )


def changed_owner(name: str, old: Item, new: Item) -> Finding:
    """Told of an object that another Kustomization lists now."""
    return error(
        "moves/owner",
        new.source,
        what=f"{old.ref} in {name} belongs to Kustomization {old.unit.key}, and now to {new.unit.key}",
        why="Flux prunes it for the old one before the new one adopts it; `prune: disabled` in the new files comes too late (F27)",
        write=_first_commit(old, "2. this change"),
    )


def _first_commit(old: Item, second: str) -> str:
    where = f"{old.document.path} as it is committed"
    renew = f"`flux reconcile kustomization {old.unit.name}`"
    return f"1. the annotation {PRUNE}: disabled on it in {where}; commit, push, {renew}; {second}"
