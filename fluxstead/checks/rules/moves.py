"""Moves: what the commit to come would do to what runs now (failures F9, F18, F27, F28).

Compared with the committed tree, of `HEAD` and of its upstream branch: what is committed and not pushed is one step for Flux,
so that two rungs of a ladder in two commits are still a jump.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fluxstead.checks.objects.needed import chart_of, is_disk_node
from fluxstead.checks.reading.view import Item, View, annotation, mapping
from fluxstead.checks.rules.departures import GUARDED, changed_owner, everything_left, left, would_be_pruned
from fluxstead.checks.subject import Subject
from fluxstead.core.findings import Finding, Source, error
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.version import numbers

_FORCE = "kustomize.toolkit.fluxcd.io/force"


def findings(subject: Subject) -> Iterator[Finding]:
    """What changes between each committed tree and this one, and must not in one step."""
    told: set[tuple[str, str]] = set()
    for name, before in subject.before.items():
        for finding in _since(name, before, subject):
            key = finding.id, finding.what.partition(" in ")[0]
            if key not in told:
                told.add(key)
                yield finding


def _since(name: str, before: View, subject: Subject) -> Iterator[Finding]:
    now = subject.view
    lost = everything_left(name, before, subject)
    if lost:
        yield lost
        return
    yield from left(name, before, subject)
    takers = _takers(before, now)
    for ref, items in before.by_ref.items():
        old, new = items[0], now.by_ref.get(ref, [None])[0]
        if new is None or (new.object is old.object and new.unit.key == old.unit.key):
            continue
        if ref.kind in GUARDED and new.unit.key != old.unit.key and would_be_pruned(old, now):
            yield changed_owner(name, old, new)
        if is_disk_node(new):
            yield from _disks(name, old, new, takers)
        yield from _immutable(name, old, new)
        if ref.kind == "HelmRelease":
            yield from _longhorn(name, chart_of(before, old), chart_of(now, new), new)


def unread(subject: Subject) -> Iterator[Finding]:
    """What Git could not be asked: what follows from a commit is then not known."""
    for one in subject.unread:
        yield error(
            "moves/unread",
            Source(".git"),
            what=one.what,
            why="nobody can tell what this commit would prune, move or orphan of what runs (F27)",
            write=one.write,
        )


def _takers(before: View, now: View) -> set[tuple[ObjectRef, str]]:
    """The disks that take replicas, before and now, at the same path: where those of other disks could go."""
    return {
        (item.ref, name)
        for item in now.of("Node")
        if is_disk_node(item) and item.spec.get("allowScheduling", True)
        for name, disk in mapping(item.spec, "disks").items()
        if isinstance(disk, Mapping) and disk.get("allowScheduling") and not disk.get("evictionRequested")
        for old in before.by_ref.get(item.ref, ())[:1]
        if mapping(mapping(old.spec, "disks"), name).get("path") == disk.get("path")
    }


def _disks(name: str, old: Item, new: Item, takers: Collection[object]) -> Iterator[Finding]:
    was, now = mapping(old.spec, "disks"), mapping(new.spec, "disks")
    nowhere = "no other disk could take its replicas, so that one is added and registered first"
    for key in was:
        disk, changed = mapping(was, key), mapping(now, key)
        if key not in now:
            if disk.get("allowScheduling") or not disk.get("evictionRequested"):
                first = "with evict: true; commit, push, and wait until it is empty; 2. without it" if takers else nowhere
                yield error(
                    "moves/disk-removed",
                    new.source,
                    what=f"disk {key} of {new.ref} in {name} is removed while Longhorn still places replicas on it",
                    why="Longhorn's webhook refuses the machine's whole object, and its layer stands still (F28)",
                    write=f"1. `{key}` back, {first} (the machine has to run for that)" + _renamed(key, disk, now),
                )
        elif any(disk.get(field) != changed.get(field) for field in ("path", "diskType")):
            first = "with evict: true; commit, push, and wait until it is empty; 2. the other path under another name"
            yield error(
                "moves/disk-changed",
                new.source,
                what=f"disk {key} of {new.ref} in {name} changes {disk.get('path')} to {changed.get('path')}",
                why="Longhorn accepts it, and every replica on the disk is lost to it (F28)",
                write=f"1. `{key}` as it was, {first if takers else nowhere}",
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
