"""Departures: what a commit takes out of the tree, and what then becomes of it in the cluster (failures F18, F27).

Flux deletes it, or nobody owns it any more. Where much leaves at once, the cause is reported, not what each part would need:
advice to empty every disk is not a cure for a file that was emptied.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.objects.claims import volumes_by_namespace
from fluxstead.checks.past import Past, Transition
from fluxstead.checks.reading.view import KUSTOMIZE, PRUNE, Item, Unit, View, annotation, reconciles_itself
from fluxstead.checks.subject import Subject
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.shape import mapping
from fluxstead.tree.entry import entry_path

EVERYTHING_LEFT = refuses(
    "moves/everything-left",
    "F27",
    "nothing that Flux reconciles in HEAD is reached from clusters/k3s-flux/tree.yaml any more",
    "the tree and the commits before it",
)
LEFT = refuses(
    "moves/left",
    "F27",
    "Namespace web in HEAD leaves the tree, and what is committed lets Flux prune it",
    "the tree and the commits before it",
)
ORPHANED = warns(
    "moves/orphaned",
    "F27",
    "HelmRelease web/site in HEAD leaves the tree, and stays in the cluster without an owner",
    "the tree and the commits before it",
)
CHANGED_OWNER = refuses(
    "moves/owner",
    "F27",
    "HelmRelease web/site in HEAD belongs to Kustomization flux-system/infrastructure, and now moves to …",
    "the tree and the commits before it",
)
SECOND_RELEASE = refuses(
    "moves/second-release",
    "F5",
    "HelmRelease storage/volumes in HEAD becomes HelmRelease volumes/volumes",
    "the tree and the commits before it",
)

GUARDED = frozenset(
    {"Namespace", "CustomResourceDefinition", "HelmRelease", "PersistentVolumeClaim", "PersistentVolume", "Node", "StorageClass"}
)
"""What takes data or other objects with it when it goes."""
_ORPHANS = frozenset({"Namespace", "CustomResourceDefinition", "HelmRelease"})
"""What goes on running, or makes others run, when nobody owns it."""


def everything_left(move: Transition) -> Finding:
    """Reported when nothing in a committed tree is reached any more, in place of a finding for each object."""
    subject = move.subject
    place = entry_path(subject.platform.cluster) if subject.platform else next((unit.name for unit in move.now.entries), ".")
    return EVERYTHING_LEFT(
        Source(place),
        what=f"nothing that Flux reconciles in {move.name} is reached from {place} any more",
        why="Flux would prune everything it may, and nobody would own the rest (F27)",
        write=f"`git checkout {move.name} -- {place}`, or a Kustomization there that leads to the tree",
    )


def left(move: Transition) -> Iterator[Finding]:
    """What is in a committed tree and no longer in this one. What registers disks is reported by its own system."""
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
            way = f"it as it was, or, if it is meant to go, {_deletion(move.subject, before, old)} once the commit has arrived"
            yield _orphan(move.name, old, way)


def orphans(past: Past) -> Iterator[Finding]:
    """What the last commit took out of the tree, by hand or on purpose, and Flux left in the cluster."""
    if past.committed.last is None:
        return
    subject, (before, after) = past.subject, past.committed.last
    for ref, items in before.by_ref.items():
        old = items[0]
        if ref.kind not in _ORPHANS or ref in after.by_ref or would_be_pruned(old, after):
            continue
        if ref in subject.view.by_ref:
            write = (
                "a commit with what `./run render` writes: it is still described"
                if subject.described
                else "a commit that contains it"
            )
        elif any(ref in view.by_ref for view in past.committed.before.values()):
            continue  # reported against what is pushed
        else:
            back = f"`git checkout HEAD~ -- {old.document.path}`, and its line in the list"
            write = f"{back}; or, if it is meant to go, {_deletion(subject, before, old)}"
        yield _orphan("HEAD~", old, write)


def _orphan(name: str, old: Item, write: str) -> Finding:
    return ORPHANED(
        old.source,
        what=f"{old.ref} in {name} leaves the tree, and stays in the cluster without an owner",
        why="it keeps running, and no commit changes, upgrades or repairs it any more",
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

    Flux reads the annotation on the live object, so only what was committed before counts.
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
    """Whether the Kustomization's own deletion takes what it applied with it (its `deletionPolicy`), and happens at all."""
    policy = unit.spec.get("deletionPolicy", "MirrorPrune")
    kept = mapping(mapping(unit.document.data, "metadata"), "annotations").get(PRUNE) == "disabled" if unit.document else True
    return not kept and policy != "Orphan" and (policy != "MirrorPrune" or bool(unit.spec.get("prune")))


def _second_release(move: Transition, old: Item, new: Item) -> Finding:
    chart = move.known.chart(move.now, new)
    return SECOND_RELEASE(
        new.source,
        what=f"{old.ref} in {move.name} becomes {new.ref}",
        why=f"a second {chart} would start next to the first, on the same disks, knowing none of its volumes (F5)",
        write=f"name {old.ref.name} and namespace {old.ref.namespace}, as before: {chart} cannot be moved",
    )


def pruned(name: str, old: Item) -> Finding:
    """Reports what Flux deletes with the commit."""
    return LEFT(
        old.source,
        what=f"{old.ref} in {name} leaves the tree, and what is committed lets Flux prune it",
        why="Flux deletes it within seconds, and with it the volumes and custom resources that depend on it (F27)",
        write=_first_commit(old, "2. the change that removes it"),
    )


def changed_owner(name: str, old: Item, new: Item) -> Finding:
    """Reports an object that another Kustomization lists now."""
    return CHANGED_OWNER(
        new.source,
        what=f"{old.ref} in {name} belongs to Kustomization {old.unit.key}, and now moves to {new.unit.key}",
        why="Flux prunes it for the old one before the new one adopts it; `prune: disabled` in the new files comes too late (F27)",
        write=_first_commit(old, "2. this change"),
    )


def _first_commit(old: Item, second: str) -> str:
    where = f"{old.document.path} as it is committed"
    renew = f"`flux reconcile kustomization {old.unit.name}`"
    return f"1. the annotation {PRUNE}: disabled on it in {where}; commit, push, {renew}; {second}"
