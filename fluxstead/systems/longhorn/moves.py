"""What must not happen to Longhorn, its machines and their disks in one commit (failures F9, F18, F27, F28)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from fluxstead.checks.past import Transition
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.charts import chart_of
from fluxstead.checks.reading.pruning import would_be_pruned
from fluxstead.checks.rule import Rule
from fluxstead.checks.rules.departures import pruned
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import mapping
from fluxstead.core.version import Version
from fluxstead.systems.longhorn.chart import LONGHORN

DISK_CHANGED = refuses(
    "moves/disk-changed",
    "F28",
    "disk sdf1 of Node longhorn-system/k3s1 in HEAD changes /mnt/a to /mnt/b",
    "the tree and the commits before it",
)
DISK_REMOVED = refuses(
    "moves/disk-removed",
    "F28",
    "disk sdf1 of Node longhorn-system/k3s1 in HEAD is removed while Longhorn still places replicas on it",
    "the tree and the commits before it",
)
VERSION_JUMP = refuses(
    "moves/longhorn-version",
    "F9",
    "Longhorn 1.6.2 in HEAD becomes 1.9.0, more than one minor release at once",
    "the tree and the commits before it",
)
NODE_LEFT = refuses(
    "moves/node-left",
    "F18",
    "Node longhorn-system/k3s2 in HEAD is not in the tree any more, but Longhorn still places replicas there",
    "the tree and the commits before it",
)
JOINS_FIRST = warns(
    "moves/joins-first", "F18", "machine k3s2 had not joined in HEAD, and is live now", "the tree and the commits before it"
)
UNREACHED = refuses(
    "moves/unreached",
    "F27",
    "flux-system/longhorn-storage in HEAD, with the disks of k3s1, is no longer reached by Flux",
    "the tree and the commits before it",
)


def findings(move: Transition) -> Iterator[Finding]:
    """What changes between a committed tree and this one, and must not in one step."""
    if move.nothing_is_left:
        return
    facts = move.facts
    left = [item for item in facts.disk_objects(move.before) if item.ref not in move.now.by_ref]
    taking = [item for item in left if item.spec.get("allowScheduling", True)]
    if not move.moves_volumes:
        yield from _gone(move, taking)
    yield from (pruned(move.name, item) for item in left if item not in taking and would_be_pruned(item, move.now))
    takers = _takers(move)
    for old, new in move.changed:
        if facts.registers_disks(new):
            yield from _disks(move.name, old, new, takers)
    for old, new in move.releases():
        if facts.chart(move.before, old) is facts.chart(move.now, new) is LONGHORN:
            was, now = (Version.read(chart_of(tree, item)[1]) for tree, item in ((move.before, old), (move.now, new)))
            yield from _version(move.name, was, now, new)


def joining(move: Transition) -> Iterator[Finding]:
    """Machines with disks that a cluster of others gets; before its first ones, nothing is in Git that could come too early."""
    then = move.cluster.roles if move.cluster else {}
    if not (then and move.context.installs_k3s):
        return
    for node in move.context.nodes:
        if node.state == "live" and node.disks and node.name not in then:
            alone = node.why_not_prepared
            by = (
                f"; `pulumi up` does not let it join ({alone})" if alone else ": `pulumi up` lets it join, and then writes the tree"
            )
            yield JOINS_FIRST(
                node.source_of("state"),
                what=f"machine {node.name} had not joined in {move.name}, and is live now",
                why="Longhorn deletes the Node object of a machine that is not in the cluster, and Flux makes it again and again",
                fix=f"push this tree once `kubectl get nodes` shows {node.name}{by}",
            )


def _scheduling(move: Transition, tree: AppliedTree) -> list[AppliedObject]:
    return [item for item in move.facts.disk_objects(tree) if item.spec.get("allowScheduling", True)]


def _gone(move: Transition, gone: Sequence[AppliedObject]) -> Iterator[Finding]:
    context = move.context
    described = {node.name for node in context.nodes if node.joined and node.disks}
    unreached = [item for item in gone if item.ref.name in described]
    if unreached:
        yield _unreached(move.name, unreached)
    rest = [item for item in gone if item.ref.name not in described]
    left_to_take = _scheduling(move, move.now)
    for item in rest:
        yield NODE_LEFT(
            item.source,
            what=f"{item.ref} in {move.name} is not in the tree any more, but Longhorn still places replicas there",
            why="its volumes lose their copies, and the Node object hangs on its finalizers (F18)",
            fix=_way_out(item, left_to_take, described=context.described),
        )


def _way_out(item: AppliedObject, others: Collection[AppliedObject], *, described: bool) -> str:
    renamed = next((one.ref.name for one in others if mapping(one.spec, "disks") == mapping(item.spec, "disks")), None)
    hint = f"; or its old name, {item.ref.name}, if {renamed} is the same machine" if renamed else ""
    if not others:
        return f"{item.ref.name} as it was: no machine would be left to take its replicas" + hint
    if described:
        return (
            "1. state: leaving in the machine's file; commit, push, and wait until its disks are empty; 2. remove the file" + hint
        )
    fields = "allowScheduling: false and evictionRequested: true"
    return f"1. the Node back, with {fields}; commit, push, and wait until its disks are empty; 2. remove it" + hint


def _unreached(name: str, items: Sequence[AppliedObject]) -> Finding:
    names = ", ".join(sorted(item.ref.name for item in items))
    kustomizations = ", ".join(sorted({str(item.kustomization.ref) for item in items}))
    return UNREACHED(
        items[0].source,
        what=f"{kustomizations} in {name}, with the disks of {names}, is no longer reached by Flux",
        why="the machines are still described, and after a commit nothing would own their disks (F27)",
        fix="the Kustomization that leads there as it was: `git diff HEAD -- clusters` shows what happened to it",
    )


def _takers(move: Transition) -> set[tuple[ObjectRef, str]]:
    """The disks that take replicas, before and now, at the same path: where other disks' replicas could go."""
    return {
        (item.ref, name)
        for item in _scheduling(move, move.now)
        for name, disk in mapping(item.spec, "disks").items()
        if isinstance(disk, Mapping) and disk.get("allowScheduling") and not disk.get("evictionRequested")
        for old in move.before.by_ref.get(item.ref, ())[:1]
        if mapping(mapping(old.spec, "disks"), name).get("path") == disk.get("path")
    }


def _disks(name: str, old: AppliedObject, new: AppliedObject, takers: Collection[object]) -> Iterator[Finding]:
    was, now = mapping(old.spec, "disks"), mapping(new.spec, "disks")
    nowhere = "no other disk could take its replicas, so add and register one first"
    for key in was:
        disk, changed = mapping(was, key), mapping(now, key)
        if key not in now:
            if disk.get("allowScheduling") or not disk.get("evictionRequested"):
                first = "with evict: true; commit, push, and wait until it is empty; 2. without it" if takers else nowhere
                yield DISK_REMOVED(
                    new.source,
                    what=f"disk {key} of {new.ref} in {name} is removed while Longhorn still places replicas on it",
                    why="Longhorn's webhook refuses the machine's whole object, and its layer is stuck (F28)",
                    fix=f"1. `{key}` back, {first} (the machine has to run for that)" + _renamed(key, disk, now),
                )
        elif any(disk.get(field) != changed.get(field) for field in ("path", "diskType")):
            first = "with evict: true; commit, push, and wait until it is empty; 2. the other path under another name"
            yield DISK_CHANGED(
                new.source,
                what=f"disk {key} of {new.ref} in {name} changes {disk.get('path')} to {changed.get('path')}",
                why="Longhorn accepts it, and loses every replica on the disk (F28)",
                fix=f"1. `{key}` as it was, {first if takers else nowhere}",
            )


def _renamed(key: str, disk: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    same = [name for name in now if mapping(now, name).get("path") == disk.get("path")]
    return f"; or its old name: `{same[0]}` is the same path as `{key}`" if same else ""


def _version(name: str, was: Version | None, now: Version | None, item: AppliedObject) -> Iterator[Finding]:
    """Longhorn goes up by one minor at a time, and never down (longhorn-manager: upgrade/util/util.go)."""
    if was is None or now is None:
        return
    old, new = was.numbers, now.numbers
    if new < old:
        yield VERSION_JUMP(
            item.source,
            what=f"Longhorn {was} in {name} becomes {now}",
            why="Longhorn refuses to be downgraded, and its managers do not start (F9)",
            fix=f"{was}, or a newer version; `git revert` where nothing of {was} ever started",
        )
    elif new[0] != old[0] or new[1] > old[1] + 1:
        yield VERSION_JUMP(
            item.source,
            what=f"Longhorn {was} in {name} becomes {now}, more than one minor release at once",
            why="Longhorn's upgrade check refuses it, or pods stay on the old version (F9)",
            fix=f"one commit for each step, pushed and healthy before the next: {' → '.join(map(str, ladder(was, now)))}",
        )


_NEWEST = tuple(map(Version, ("1.5.5", "1.6.4", "1.7.3", "1.8.2", "1.9.2", "1.10.2", "1.11.3", "1.12.1")))
"""The last release of each minor (longhorn/longhorn, tags)."""


def ladder(start: Version, end: Version) -> list[Version]:
    """The versions to climb: the last of each minor in between."""
    return [start, *(version for version in _NEWEST if start.minor < version.minor < end.minor), end]


MOVES = (Rule(findings, (DISK_CHANGED, DISK_REMOVED, VERSION_JUMP, NODE_LEFT, UNREACHED)), Rule(joining, (JOINS_FIRST,)))
