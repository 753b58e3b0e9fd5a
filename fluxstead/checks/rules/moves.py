"""Moves: what the commit to come would do to what runs now (failures F9, F18, F27, F28).

Compared with the committed tree, of `HEAD` and of its upstream branch: what is committed and not pushed is one step for Flux,
so that two rungs of a ladder in two commits are still a jump.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.objects.needed import chart_of, is_disk_node
from fluxstead.checks.reading.view import KUSTOMIZE, Item, Unit, View, annotation, mapping
from fluxstead.checks.subject import Subject
from fluxstead.core.findings import Finding, error
from fluxstead.core.version import numbers

_PRUNE = "kustomize.toolkit.fluxcd.io/prune"
_FORCE = "kustomize.toolkit.fluxcd.io/force"
_GUARDED = frozenset(
    {"Namespace", "CustomResourceDefinition", "HelmRelease", "PersistentVolumeClaim", "PersistentVolume", "Node", "StorageClass"}
)
_HOLDS_DATA = frozenset({"HelmRelease", "PersistentVolumeClaim", "StatefulSet"})


def findings(subject: Subject) -> Iterator[Finding]:
    """What changes between each committed tree and this one, and must not in one step."""
    told: set[tuple[str, str]] = set()
    for name, before in subject.before.items():
        for finding in _since(name, before, subject.view):
            key = finding.id, finding.what.partition(" in ")[0]
            if key not in told:
                told.add(key)
                yield finding


def _since(name: str, before: View, now: View) -> Iterator[Finding]:
    data = {item.ref.namespace for item in before.items if item.ref.kind in _HOLDS_DATA or is_disk_node(item)}
    for ref, items in before.by_ref.items():
        old, new = items[0], now.by_ref.get(ref, [None])[0]
        if new is not None and new.object is old.object and new.unit.key == old.unit.key:
            continue
        if new is None:
            yield from _left(name, old, now, holds_data=ref.kind != "Namespace" or ref.name in data)
            continue
        if ref.kind in _GUARDED and new.unit.key != old.unit.key and _would_be_pruned(old, now):
            yield _changed_owner(name, old, new)
        if is_disk_node(new):
            yield from _disks(name, old, new)
        yield from _immutable(name, old, new)
        if ref.kind == "HelmRelease":
            yield from _longhorn(name, chart_of(before, old), chart_of(now, new), new)


def _would_be_pruned(old: Item, now: View) -> bool:
    """Whether Flux deletes the object once the Kustomization that applied it does not list it any more.

    Flux reads the annotation on the live object, so that only what was committed before counts.
    """
    if annotation(old, _PRUNE) == "disabled":
        return False
    if _gone(old.unit, now):
        return _deletes_with_it(old.unit)
    return old.unit.document is not None and bool(old.unit.spec.get("prune"))


def _gone(unit: Unit, now: View) -> bool:
    return unit.document is not None and unit.key not in now.units


def _deletes_with_it(unit: Unit) -> bool:
    """Whether the Kustomization's own deletion takes what it applied with it (its `deletionPolicy`), and is to happen at all."""
    policy = unit.spec.get("deletionPolicy", "MirrorPrune")
    kept = mapping(mapping(unit.document.data, "metadata"), "annotations").get(_PRUNE) == "disabled" if unit.document else True
    return not kept and policy != "Orphan" and (policy != "MirrorPrune" or bool(unit.spec.get("prune")))


def _left(name: str, old: Item, now: View, *, holds_data: bool) -> Iterator[Finding]:
    if is_disk_node(old) and old.spec.get("allowScheduling", True):
        yield error(
            "moves/node-left",
            old.source,
            what=f"{old.ref} in {name} is not in the tree any more, and Longhorn still places replicas there",
            why="its volumes lose their copies, and the Node object hangs on its finalizers (F18)",
            write="1. state: leaving in the machine's file; commit, push, and wait until its disks are empty; 2. the file goes",
        )
    elif old.ref.kind in _GUARDED and old.ref.group != KUSTOMIZE and holds_data and _would_be_pruned(old, now):
        yield error(
            "moves/left",
            old.source,
            what=f"{old.ref} in {name} leaves the tree, and what is committed lets Flux prune it",
            why="Flux deletes it within seconds, and with it the volumes and custom resources that hang on it (F27)",
            write=_first_commit(old, "2. the change that takes it away"),
        )


def _changed_owner(name: str, old: Item, new: Item) -> Finding:
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
    return f"1. the annotation {_PRUNE}: disabled on it in {where}; commit, push, {renew}; {second}"


def _disks(name: str, old: Item, new: Item) -> Iterator[Finding]:
    was, now = mapping(old.spec, "disks"), mapping(new.spec, "disks")
    for key in was:
        disk, changed = mapping(was, key), mapping(now, key)
        if key not in now:
            if disk.get("allowScheduling") or not disk.get("evictionRequested"):
                yield error(
                    "moves/disk-removed",
                    new.source,
                    what=f"disk {key} of {new.ref} in {name} is removed while Longhorn still places replicas on it",
                    why="Longhorn's webhook refuses the machine's whole object, and its layer stands still (F28)",
                    write=f"1. `{key}` back, with evict: true; commit, push, and wait until it is empty (its machine has to run);"
                    " 2. without it" + _renamed(key, disk, now),
                )
        elif any(disk.get(field) != changed.get(field) for field in ("path", "diskType")):
            yield error(
                "moves/disk-changed",
                new.source,
                what=f"disk {key} of {new.ref} in {name} changes {disk.get('path')} to {changed.get('path')}",
                why="Longhorn accepts it, and every replica on the disk is lost to it (F28)",
                write=f"1. `{key}` as it was, with evict: true; commit, push, and wait until it is empty; 2. the other path under"
                " another name",
            )


def _renamed(key: str, disk: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    same = [name for name in now if mapping(now, name).get("path") == disk.get("path")]
    return f"; or its old name: `{same[0]}` is the same path as `{key}`" if same else ""


_FIXED = {
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "PersistentVolumeClaim": ("spec.storageClassName", "spec.accessModes", "spec.volumeName"),
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"),
}
"""Fields that the API server lets nobody change."""


def _immutable(name: str, old: Item, new: Item) -> Iterator[Finding]:
    if annotation(new, _FORCE) == "enabled" or new.unit.spec.get("force"):
        return
    for path in _FIXED.get(new.ref.kind, ()):
        holder, _, key = path.rpartition(".")
        was = mapping(old.object, holder) if holder else old.object
        now = mapping(new.object, holder) if holder else new.object
        if was.get(key) != now.get(key):
            yield error(
                "moves/immutable",
                new.source,
                what=f"{new.ref} in {name} has another {path}",
                why="the API server refuses the change, and the layer never becomes ready again (F28)",
                write="another name for the new one"
                if new.ref.kind == "PersistentVolumeClaim"
                else f"another name, or the annotation {_FORCE}: enabled, with which Flux deletes it and makes it anew",
            )


def _longhorn(name: str, was: tuple[str, str], now: tuple[str, str], item: Item) -> Iterator[Finding]:
    """Longhorn goes up by one minor at a time, and never down (longhorn-manager: upgrade/util/util.go)."""
    if was[0] != "longhorn" or now[0] != "longhorn" or was[1] == now[1]:
        return
    try:
        old, new = numbers(was[1]), numbers(now[1])
    except ValueError:
        return
    if new < old:
        yield error(
            "moves/longhorn-version",
            item.source,
            what=f"Longhorn {was[1]} in {name} becomes {now[1]}",
            why="Longhorn refuses to go back, and its managers do not start (F9)",
            write=f"{was[1]}, or a newer version; `git revert` where nothing of {was[1]} ever started",
        )
    elif new[0] != old[0] or new[1] > old[1] + 1:
        yield error(
            "moves/longhorn-version",
            item.source,
            what=f"Longhorn {was[1]} in {name} becomes {now[1]}, more than one minor release at once",
            why="Longhorn's upgrade check refuses it, or pods stay on the old version (F9)",
            write=f"one commit for each step, pushed and healthy before the next: {' → '.join(ladder(was[1], now[1]))}",
        )


_NEWEST = ("1.5.5", "1.6.4", "1.7.3", "1.8.2", "1.9.2", "1.10.2", "1.11.3", "1.12.1")
"""The last release of each minor (longhorn/longhorn, tags)."""


def ladder(start: str, end: str) -> list[str]:
    """The versions to climb: the last of each minor between."""
    return [start, *(version for version in _NEWEST if numbers(start)[:2] < numbers(version)[:2] < numbers(end)[:2]), end]
