"""Departures: what a commit takes out of the tree, and what then becomes of it in the cluster (failures F18, F27).

Flux deletes it, or nobody owns it any more. Where much leaves at once, the cause is reported, not what each part would need:
advice to empty every disk is not a cure for a file that was emptied.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.objects.claims import volumes_by_namespace
from fluxstead.checks.past import Transition
from fluxstead.checks.reading.applied_tree import KUSTOMIZE, PRUNE, AppliedObject, AppliedTree
from fluxstead.checks.reading.pruning import would_be_pruned
from fluxstead.checks.rules.orphaned import ORPHANS, Departure
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.core.shape import entries_of
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


def everything_left(move: Transition) -> Finding:
    """Reported when nothing in a committed tree is reached any more, in place of a finding for each object."""
    context = move.context
    place = (
        entry_path(context.platform.cluster)
        if context.platform
        else next((kustomization.name for kustomization in move.now.entries), ".")
    )
    return EVERYTHING_LEFT(
        Source(place),
        what=f"nothing that Flux reconciles in {move.name} is reached from {place} any more",
        why="Flux would prune everything it may, and nobody would own the rest (F27)",
        fix=f"`git checkout {move.name} -- {place}`, or a Kustomization there that leads to the tree",
    )


def left(move: Transition) -> Iterator[Finding]:
    """What is in a committed tree and no longer in this one. What registers disks is reported by its own system."""
    before, now, facts = move.before, move.now, move.facts
    moved = [pair for pair in move.moved_releases if _stays(move, *pair)]
    replaced, with_all_volumes = {old.ref for old, _ in moved}, move.moves_volumes
    yield from (_second_release(move, old, new) for old, new in moved)
    gone = [items[0] for ref, items in before.by_ref.items() if ref not in now.by_ref and _is_guarded(facts, items[0])]
    namespaces_go = any(old.ref.kind == "Namespace" for old in gone)
    with_volumes = volumes_by_namespace(facts, before) if namespaces_go else {}
    stay = []
    for old in gone:
        if would_be_pruned(old, now):
            harmless = old.ref.kind == "HelmRelease" and facts.chart(before, old).stateless
            if not harmless and (old.ref.kind != "Namespace" or old.ref.name in with_volumes):
                yield pruned(move.name, old)
        elif old.ref.kind in ORPHANS and old.ref not in replaced and not with_all_volumes:
            stay.append(old)
    yield from Departure(move.name, move.context, before, now).findings(stay)


def _is_guarded(facts: SystemFacts, item: AppliedObject) -> bool:
    if item.ref.group == KUSTOMIZE or facts.registers_disks(item):
        return False
    return item.ref.kind in GUARDED or facts.is_data(item)


def hands_over(old: AppliedObject, new: AppliedObject, now: AppliedTree) -> bool:
    """Whether the former Kustomization cannot act on this commit before the new one has applied it, and so has the object.

    Its directory is gone, so that Flux applies and prunes nothing before it knows what the Kustomization is now; and now that
    waits for the new owner, at the same revision (kustomize-controller: `reconcile`, `checkDependencies`). What belongs to another
    Kustomization by then is not pruned (fluxcd/pkg: ssa, `Delete`).
    """
    former = now.kustomizations.get(old.kustomization.ref)
    if former is None or former.document is None or now.store.is_folder(now.folder_of(old.kustomization.spec)):
        return False
    awaited = (one for one in entries_of(former.spec, "dependsOn") if "readyExpr" not in one)
    owner = new.kustomization.ref
    return any((one.get("namespace", former.namespace), one.get("name")) == (owner.namespace, owner.name) for one in awaited)


def _stays(move: Transition, old: AppliedObject, new: AppliedObject) -> bool:
    """Whether the first release would run beside the second; with volumes, neither that nor its end is wanted."""
    return bool(move.facts.chart(move.now, new).holds_volumes) or not would_be_pruned(old, move.now)


def _second_release(move: Transition, old: AppliedObject, new: AppliedObject) -> Finding:
    chart = move.facts.chart(move.now, new)
    beside, fixed = (
        ("on the same disks, knowing none of its volumes", f": {chart} cannot be moved")
        if chart.holds_volumes
        else ("which nothing removes, and both would act on the same custom resources", "")
    )
    return SECOND_RELEASE(
        new.source,
        what=f"{old.ref} in {move.name} becomes {new.ref}",
        why=f"a second {chart} would start next to the first, {beside} (F5)",
        fix=f"name {old.ref.name} and namespace {old.ref.namespace}, as before{fixed}",
    )


def pruned(name: str, old: AppliedObject) -> Finding:
    """Reports what Flux deletes with the commit."""
    return LEFT(
        old.source,
        what=f"{old.ref} in {name} leaves the tree, and what is committed lets Flux prune it",
        why="Flux deletes it within seconds, and with it the volumes and custom resources that depend on it (F27)",
        fix=_first_commit(old, "2. the change that removes it"),
    )


def changed_owner(name: str, old: AppliedObject, new: AppliedObject) -> Finding:
    """Reports an object that another Kustomization lists now."""
    return CHANGED_OWNER(
        new.source,
        what=f"{old.ref} in {name} belongs to {old.kustomization.ref}, and now moves to {new.kustomization.ref.qualified_name}",
        why="Flux prunes it for the old one before the new one adopts it; `prune: disabled` in the new files comes too late (F27)",
        fix=_first_commit(old, "2. this change"),
    )


def _first_commit(old: AppliedObject, second: str) -> str:
    where = f"{old.document.path} as it is committed"
    renew = f"`flux reconcile kustomization {old.kustomization.name}`"
    return f"1. the annotation {PRUNE}: disabled on it in {where}; commit, push, {renew}; {second}"
