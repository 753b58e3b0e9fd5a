"""Departures: what a commit takes out of the tree, and what then becomes of it in the cluster (failures F18, F27).

Flux deletes it, or nobody owns it any more. Where much leaves at once, the cause is reported, not what each part would need:
advice to empty every disk is not a cure for a file that was emptied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.claims import volumes_by_namespace
from fluxstead.checks.past import Past, Transition
from fluxstead.checks.reading.applied_tree import (
    KUSTOMIZE,
    PRUNE,
    AppliedObject,
    AppliedTree,
    FluxKustomization,
    annotation,
    reconciles_itself,
)
from fluxstead.checks.reading.store import entries_of
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.manifest import ObjectRef
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
    gone = [
        items[0]
        for ref, items in before.by_ref.items()
        if ref not in now.by_ref and ref.kind in GUARDED and ref.group != KUSTOMIZE and not facts.registers_disks(items[0])
    ]
    namespaces_go = any(old.ref.kind == "Namespace" for old in gone)
    with_volumes = volumes_by_namespace(facts, before) if namespaces_go else {}
    accounts = _kept_accounts(before, now) if namespaces_go else {}
    for old in gone:
        if would_be_pruned(old, now):
            if old.ref.kind != "Namespace" or old.ref.name in with_volumes:
                yield pruned(move.name, old)
        elif old.ref.kind in _ORPHANS and old.ref not in replaced and not with_all_volumes:
            way = _deletion(move.context, before, old, accounts)
            fix = f"it as it was, or, if it is meant to go, {way} once the commit has arrived"
            yield _orphan(move.name, old, fix, data_in(before, old, facts))


def orphans(past: Past) -> Iterator[Finding]:
    """What the last commit took out of the tree, by hand or on purpose, and Flux left in the cluster."""
    if past.committed.last_commit is None:
        return
    context, (before, after) = past.context, past.committed.last_commit
    accounts = _kept_accounts(before, after)
    for ref, items in before.by_ref.items():
        old = items[0]
        if ref.kind not in _ORPHANS or ref in after.by_ref or would_be_pruned(old, after):
            continue
        if ref in context.tree.by_ref:
            fix = (
                "a commit with what `./run render` writes: it is still described"
                if context.described
                else "a commit that contains it"
            )
        elif any(ref in tree.by_ref for tree in past.committed.before.values()):
            continue  # reported against what is pushed
        else:
            back = f"`git checkout HEAD~ -- {old.document.path}`, and its line in the list"
            fix = f"{back}; or, if it is meant to go, {_deletion(context, before, old, accounts)}"
        yield _orphan("HEAD~", old, fix, data_in(before, old, context.facts))


def _orphan(name: str, old: AppliedObject, fix: str, data: str) -> Finding:
    without = f"without an owner, with the data of {data}" if data else "without an owner"
    return ORPHANED(
        old.source,
        what=f"{old.ref} in {name} leaves the tree, and stays in the cluster {without}",
        why="they go on using disks and backups, and no commit repairs them any more"
        if data
        else "it keeps running, and no commit changes, upgrades or repairs it any more",
        fix=fix,
    )


def data_in(before: AppliedTree, namespace: AppliedObject, facts: SystemFacts) -> str:
    """What holds data in a namespace, in words; empty for anything else, and where nothing does."""
    if namespace.ref.kind != "Namespace":
        return ""
    name = namespace.ref.name
    claims = sorted(one.ref.name for one in before.of("PersistentVolumeClaim") if one.ref.namespace == name)
    if claims:
        return f"PersistentVolumeClaim {', '.join(claims)}"
    holder = volumes_by_namespace(facts, before).get(name)
    return str(holder.ref) if holder else ""


def _deletion(context: CheckContext, before: AppliedTree, old: AppliedObject, accounts: Mapping[str, Sequence[ObjectRef]]) -> str:
    own = context.facts.chart(before, old).holds_volumes if old.ref.kind == "HelmRelease" else ""
    if own:
        return own
    if old.ref.kind != "Namespace":
        return f"`{_delete(old.ref)}`"
    refs = dict.fromkeys((old.ref, *accounts.get(old.ref.name, ())))
    # Helm's own record of a release is in its namespace: without it, nothing uninstalls the release any more.
    inside = any(one.ref.namespace == old.ref.name for one in before.of("HelmRelease"))
    after = " after the releases in it" if inside else ""
    deletes = " (which deletes the data)" if data_in(before, old, context.facts) else ""
    return f"`{' && '.join(map(_delete, refs))}`{after}{deletes}"


def _delete(ref: ObjectRef) -> str:
    where = f" -n {ref.namespace}" if ref.namespace else ""
    return f"kubectl delete {ref.kind.lower()} {ref.name}{where}"


def _kept_accounts(before: AppliedTree, now: AppliedTree) -> dict[str, list[ObjectRef]]:
    """By namespace: the accounts of other namespaces that had rights in it, leave the tree, and stay in the cluster."""
    found: dict[str, list[ObjectRef]] = {}
    for binding in before.of("RoleBinding"):
        namespace = binding.ref.namespace
        for one in entries_of(binding.object, "subjects"):
            ref = ObjectRef("", str(one.get("kind")), str(one.get("namespace", namespace)), str(one.get("name")))
            account = before.one(ref) if ref.kind == "ServiceAccount" and ref.namespace != namespace else None
            if account and ref not in now.by_ref and not would_be_pruned(account, now):
                found.setdefault(namespace, []).append(ref)
    return found


def would_be_pruned(old: AppliedObject, now: AppliedTree) -> bool:
    """Whether Flux deletes the object once the Kustomization that applied it does not list it any more.

    Flux reads the annotation on the live object, so only what was committed before counts.
    """
    if annotation(old, PRUNE) == "disabled":
        return False
    if _gone(old.kustomization, now):
        return _deletes_with_it(old.kustomization)
    own = old.kustomization.spec if old.kustomization.document is not None else reconciles_itself(old.kustomization)
    return bool(own.get("prune"))


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


def _gone(kustomization: FluxKustomization, now: AppliedTree) -> bool:
    return kustomization.document is not None and kustomization.ref not in now.kustomizations


def _deletes_with_it(kustomization: FluxKustomization) -> bool:
    """Whether the Kustomization's own deletion takes what it applied with it (its `deletionPolicy`), and happens at all."""
    policy = kustomization.spec.get("deletionPolicy", "MirrorPrune")
    kept = (
        mapping(mapping(kustomization.document.data, "metadata"), "annotations").get(PRUNE) == "disabled"
        if kustomization.document
        else True
    )
    return not kept and policy != "Orphan" and (policy != "MirrorPrune" or bool(kustomization.spec.get("prune")))


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
