"""Departures: what a commit takes out of the tree, and what then becomes of it in the cluster (failures F18, F27).

Flux deletes it, or nobody owns it any more. Where much leaves at once, the cause is told and not what each part of it would need:
advice to empty every disk is not a cure for a file that was emptied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from fluxstead.checks.objects.needed import chart_of, is_disk_node
from fluxstead.checks.reading.view import KUSTOMIZE, PRUNE, Item, Unit, View, annotation, mapping, reconciles_itself
from fluxstead.checks.subject import Subject
from fluxstead.core.findings import Finding, Source, error, warning
from fluxstead.core.manifest import ObjectRef
from fluxstead.tree.entry import entry_path

GUARDED = frozenset(
    {"Namespace", "CustomResourceDefinition", "HelmRelease", "PersistentVolumeClaim", "PersistentVolume", "Node", "StorageClass"}
)
"""What takes data or other objects with it when it goes."""
_ORPHANS = frozenset({"Namespace", "CustomResourceDefinition", "HelmRelease"})
"""What goes on running, or makes others run, when nobody owns it."""
_HOLDS_DATA = frozenset({"HelmRelease", "PersistentVolumeClaim", "StatefulSet"})


def everything_left(name: str, before: View, subject: Subject) -> Finding | None:
    """Told where nothing of a committed tree is reached any more, in place of what would become of each object."""
    now = subject.view
    units = {key for key, unit in before.units.items() if unit.document is not None}
    objects = {item.ref for item in before.items if item.unit.document is not None}
    if not units or not objects or units & now.units.keys() or objects & now.by_ref.keys():
        return None
    place = entry_path(subject.platform.cluster) if subject.platform else next((unit.name for unit in now.entries), ".")
    return error(
        "moves/everything-left",
        Source(place),
        what=f"nothing that Flux reconciles in {name} is reached from {place} any more",
        why="Flux would prune all that it may, and leave the rest to nobody (F27)",
        write=f"`git checkout {name} -- {place}`, or a Kustomization there that leads to the tree",
    )


def left(name: str, before: View, subject: Subject) -> Iterator[Finding]:
    """What is in a committed tree and in this one no more."""
    now = subject.view
    moved = list(_second_longhorn(name, before, now))
    yield from moved
    nodes = [item for item in before.of("Node") if is_disk_node(item) and item.spec.get("allowScheduling", True)]
    gone = [item for item in nodes if item.ref not in now.by_ref]
    if gone and not moved:
        yield from _nodes(name, gone, subject)
    data = {item.ref.namespace for item in before.items if item.ref.kind in _HOLDS_DATA or is_disk_node(item)}
    for ref, items in before.by_ref.items():
        old = items[0]
        if ref in now.by_ref or ref.kind not in GUARDED or ref.group == KUSTOMIZE or old in gone:
            continue
        if would_be_pruned(old, now):
            if ref.kind != "Namespace" or ref.name in data:
                yield _pruned(name, old)
        elif ref.kind in _ORPHANS and not moved:
            yield _orphan(name, old, f"it as it was, or, if it is to go, {_deletion(before, old)} once the commit has arrived")


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
            write = f"{back}; or, if it is to go, {_deletion(before, old)}"
        yield _orphan("HEAD~", old, write)


def _orphan(name: str, old: Item, write: str) -> Finding:
    return warning(
        "moves/orphaned",
        old.source,
        what=f"{old.ref} in {name} leaves the tree, and stays in the cluster without an owner",
        why="what it runs goes on, and no commit changes, upgrades or repairs it any more",
        write=write,
    )


def _deletion(before: View, old: Item) -> str:
    if old.ref.kind == "HelmRelease" and chart_of(before, old)[0] == "longhorn":
        return "Longhorn's own way to uninstall it, which deletes every volume,"
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


def _second_longhorn(name: str, before: View, now: View) -> Iterator[Finding]:
    """A release that changed its name or namespace is another one: Flux does not rename."""
    was, found = _longhorns(before), _longhorns(now)
    if was and found and not was.keys() & found.keys():
        old, new = next(iter(was.values())), next(iter(found.values()))
        yield error(
            "moves/second-longhorn",
            new.source,
            what=f"{old.ref} in {name} becomes {new.ref}",
            why="a second Longhorn would start beside the first, on the same disks, and know none of its volumes (F5)",
            write=f"name {old.ref.name} and namespace {old.ref.namespace}, as they were: Longhorn does not move",
        )


def _longhorns(view: View) -> dict[ObjectRef, Item]:
    return {item.ref: item for item in view.of("HelmRelease") if chart_of(view, item)[0] == "longhorn"}


def _nodes(name: str, gone: Sequence[Item], subject: Subject) -> Iterator[Finding]:
    now = subject.view
    described = {node.name for node in subject.nodes if node.joined and node.disks}
    unreached = [item for item in gone if item.ref.name in described]
    if unreached:
        yield _unreached(name, unreached)
    rest = [item for item in gone if item.ref.name not in described]
    left_to_take = [item for item in now.of("Node") if is_disk_node(item) and item.spec.get("allowScheduling", True)]
    for item in rest:
        yield error(
            "moves/node-left",
            item.source,
            what=f"{item.ref} in {name} is not in the tree any more, and Longhorn still places replicas there",
            why="its volumes lose their copies, and the Node object hangs on its finalizers (F18)",
            write=_way_out(item, left_to_take, described=subject.described),
        )


def _way_out(item: Item, others: Collection[Item], *, described: bool) -> str:
    renamed = next((one.ref.name for one in others if mapping(one.spec, "disks") == mapping(item.spec, "disks")), None)
    hint = f"; or its old name, {item.ref.name}, if {renamed} is the same machine" if renamed else ""
    if not others:
        return f"{item.ref.name} back as it was: no machine would be left to take its replicas" + hint
    if described:
        return "1. state: leaving in the machine's file; commit, push, and wait until its disks are empty; 2. the file goes" + hint
    fields = "allowScheduling: false and evictionRequested: true"
    return f"1. the Node back, with {fields}; commit, push, and wait until its disks are empty; 2. without it" + hint


def _unreached(name: str, items: Sequence[Item]) -> Finding:
    names = ", ".join(sorted(item.ref.name for item in items))
    units = ", ".join(sorted({item.unit.key for item in items}))
    return error(
        "moves/unreached",
        items[0].source,
        what=f"{units} in {name}, with the disks of {names}, is reached by Flux no more",
        why="the machines are still described, and a commit would leave their disks to nobody (F27)",
        write="the Kustomization that leads there as it was: `git diff HEAD -- clusters` shows what became of it",
    )


def _pruned(name: str, old: Item) -> Finding:
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
