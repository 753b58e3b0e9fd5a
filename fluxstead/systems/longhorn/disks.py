"""Disks and classes, as Longhorn would place volumes on them (failures F1, F13, F14, F24)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.requirements import requirements_of
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.reading.values_from import Values, values_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, counted
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.quantity import MEBIBYTE, Quantity
from fluxstead.core.shape import at, mapping
from fluxstead.systems.longhorn.chart import LONGHORN
from fluxstead.systems.longhorn.tagged import place_of_tags, untagged, words
from fluxstead.systems.longhorn.values import SOFT, soft_anti_affinity

DISK_UUID = refuses("storage/disk-uuid", "F14, F15", "Node longhorn-system/k3s1 sets diskUUID")
NO_COPIES = refuses("storage/copies", "F1", "StorageClass fast makes 'three' copies of each volume")
OUTSIDE_MOUNT = refuses(
    "storage/outside-mount", "F24", "Node longhorn-system/k3s1 has a disk at /var/lib/longhorn, where k3s1 declares none"
)
PATH_TWICE = refuses("storage/path-twice", "F13", "Node longhorn-system/k3s1 has the disks a and b at one path, /mnt/a")
RESERVED_IN_BYTES = refuses("storage/reserved", "F1", "Node longhorn-system/k3s1 reserves 25 bytes of disk sdf1")
TOO_FEW_TAGGED = refuses(
    "storage/tags", "F1", "StorageClass fast makes 3 copies on disks with nvme, but 1 node with such disks takes replicas"
)
TOO_FEW_TAGGED_UNUSED = warns(
    "storage/tags-unused", "F1", "StorageClass bulk makes 3 copies on disks with bulk, but 1 node with such disks takes replicas"
)

_COPIES, _SHOWN = re.compile(r"[1-9]|1[0-9]|20"), 20
CHARTS_REPLICAS = 3
"""Copies in the class that the chart creates, by default (longhorn: chart/values.yaml)."""


def disks(context: CheckContext) -> Iterator[Finding]:
    """Longhorn's Node objects: no UUIDs, each path once, only where a declared disk is mounted, and whole bytes reserved."""
    store = context.tree.store
    described = {node.name: node for node in context.nodes}
    for item in context.tree.objects:
        if item.ref.group == "longhorn.io":
            for key in _keys(item.object.get("spec"), {"diskUUID", "diskID"}):
                yield DISK_UUID(
                    line_with(store, item.document, key),
                    what=f"{item} sets {key}",
                    why="Longhorn gives a disk its UUID; a wrong one keeps replicas from being created (F14)",
                    fix="the object without it",
                )
        if not context.facts.registers_disks(item):
            continue
        yield from _reserved(context, item)
        paths: dict[str, str] = {}
        for name, disk in _mappings(mapping(item.spec, "disks")):
            path = str(disk.get("path", "")).rstrip("/")
            first = paths.setdefault(path, name)
            if first != name:
                yield PATH_TWICE(
                    line_with(store, item.document, name),
                    what=f"{item} has the disks {first} and {name} at one path, {path}",
                    why="Longhorn counts one disk's space twice, and disables the second one (F13)",
                    fix="one disk per path",
                )
            node = described.get(item.ref.name)
            mounts = [one.mount_path for one in node.disks] if node else []
            if node and not any(path == mount or path.startswith(f"{mount}/") for mount in mounts):
                yield OUTSIDE_MOUNT(
                    line_with(store, item.document, path),
                    what=f"{item} has a disk at {path}, where {node.name} declares none",
                    why="replicas would fill the root filesystem (F24)",
                    fix=f"a path below one of: {', '.join(mounts) or 'none is declared'}; or the disk in {node.source.file}",
                )


def _reserved(context: CheckContext, item: AppliedObject) -> Iterator[Finding]:
    if not item.is_final:
        return
    for name, disk in _mappings(mapping(item.spec, "disks")):
        reserved = disk.get("storageReserved")
        if isinstance(reserved, int) and 0 < reserved < MEBIBYTE:
            yield RESERVED_IN_BYTES(
                line_with(context.tree.store, item.document, "storageReserved"),
                what=f"{item} reserves {Quantity(str(reserved)).in_bytes} of disk {name}",
                why="Longhorn takes whole bytes here, and would fill the disk (F1)",
                fix=f"storageReserved: {reserved * 1024**3}, for {reserved}Gi",
            )


def copies(context: CheckContext) -> Iterator[Finding]:
    """Classes with a number of copies that Longhorn does not take (longhorn-manager: types, ValidateReplicaCount)."""
    for item in context.tree.of("StorageClass"):
        written = mapping(item.object, "parameters").get("numberOfReplicas")
        if written is None or not item.is_final or not context.facts.is_placed_on_disks(item) or "${" in str(written):
            continue
        if not isinstance(written, (str, int)) or not _COPIES.fullmatch(str(written)):
            shown = f"'{str(written)[:_SHOWN]}'" if isinstance(written, (str, int, float)) else "a list or a mapping of"
            yield NO_COPIES(
                line_with(context.tree.store, item.document, "numberOfReplicas"),
                what=f"{item} makes {shown} copies of each volume",
                why="Longhorn refuses every volume of the class (F1)",
                fix="numberOfReplicas: a whole number from 1 to 20, in quotes",
            )


def tags(context: CheckContext) -> Iterator[Finding]:
    """Classes that ask for tags which too few disks carry (soft anti-affinity) or too few nodes (hard).

    Also those of a commit that are gone, as one is that a description makes of a tag, where volumes still name them.
    """
    nodes = context.facts.disk_objects(context.tree)
    if not nodes:
        return
    used = {need for item in context.tree.objects for need in requirements_of(item) if need.kind == "StorageClass"}
    soft_by_default = _may_share_nodes(context)
    for item in context.tree.of("StorageClass"):
        if context.facts.is_placed_on_disks(item):
            yield from _tagged(context, nodes, item, soft=soft_by_default, used=item.ref in used)
    told: set[ObjectRef] = set()
    for commit, tree in context.earlier.items():
        for item in tree.of("StorageClass"):
            gone = item.ref in used and item.ref not in context.tree.by_ref and item.ref not in told
            if gone and context.facts.is_placed_on_disks(item):
                told.add(item.ref)
                yield from _tagged(context, nodes, item, soft=soft_by_default, used=True, commit=commit)


def _tagged(
    context: CheckContext, nodes: Sequence[AppliedObject], item: AppliedObject, *, soft: bool, used: bool, commit: str = ""
) -> Iterator[Finding]:
    parameters = mapping(item.object, "parameters")
    wanted = words(parameters.get("diskSelector"))
    places = [list(_schedulable(node, wanted, words(parameters.get("nodeSelector")))) for node in nodes]
    own = parameters.get("replicaSoftAntiAffinity", "ignored")
    soft = own == "enabled" or (own != "disabled" and soft)
    replicas = copies_of(parameters, CHARTS_REPLICAS)
    found = sum(map(len, places)) if soft else sum(map(bool, places))
    if found >= replicas:
        return
    takers = f"{counted(found, 'disk' if soft else 'node')}{'' if soft else ' with such disks'}"
    copies = f"{counted(replicas, 'copy', 'copies')} on disks with {', '.join(sorted(wanted)) or 'any tag'}"
    what = f"{item.ref} in {commit}" if commit else str(item)
    what += f" makes {copies}, but {takers} {'takes' if found == 1 else 'take'} replicas"
    more = "more disks" if soft else "disks of more nodes"
    fix = f"{counted(found, 'copy', 'copies')}, or the tags on {more}" if found else f"the tags on {more}, or another diskSelector"
    disk = untagged(context, nodes, frozenset(wanted))
    if disk:
        place = place_of_tags(context, disk)
        fix = f"tags: [{', '.join(sorted(disk.should_have))}] for {disk}" + (
            f", as in {disk.commit}" if disk.commit else f"; or {fix}"
        )
    else:
        place = line_with(context.tree.store, item.document, "diskSelector")
    if used:
        why = "every volume of the class stays degraded, or is never created (F1)"
        yield TOO_FEW_TAGGED(place, what=what, why=why, fix=fix)
    else:
        why = "a volume of the class, of which the tree has none yet, would stay degraded, or never be created (F1)"
        yield TOO_FEW_TAGGED_UNUSED(place, what=what, why=why, fix=fix)


def _schedulable(node: AppliedObject, wanted: set[str], node_tags: set[str]) -> Iterator[str]:
    if node.spec.get("allowScheduling") is False or not node_tags <= words(node.spec.get("tags")):
        return
    for name, disk in _mappings(mapping(node.spec, "disks")):
        if disk.get("allowScheduling") and not disk.get("evictionRequested") and wanted <= words(disk.get("tags")):
            yield name


def _may_share_nodes(context: CheckContext) -> bool:
    """Whether copies may share a node, by what is known of Longhorn's values."""
    values = _values(context)
    return soft_anti_affinity(values.certain) or (not values.complete and at(values.certain, SOFT) is None)


def values_in(context: CheckContext) -> Mapping[str, Any]:
    """The values of Longhorn's release; empty where the tree has none."""
    return _values(context).certain


def _values(context: CheckContext) -> Values:
    releases = (item for item in context.tree.of("HelmRelease") if context.facts.chart(context.tree, item) is LONGHORN)
    return next((values_of(context.tree, item) for item in releases), Values({}, {}))


def copies_of(parameters: Mapping[str, Any], default: int) -> int:
    """How many copies a class makes of a volume; the default where what is written is not a number."""
    try:
        return int(str(parameters.get("numberOfReplicas", default)))
    except ValueError:
        return default


def _mappings(value: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from ((name, item) for name, item in value.items() if isinstance(item, Mapping))


def _keys(value: Any, wanted: set[str]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in wanted and item:
                yield key
            yield from _keys(item, wanted)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item, wanted)


RULES = (
    Rule(disks, (DISK_UUID, OUTSIDE_MOUNT, PATH_TWICE, RESERVED_IN_BYTES)),
    Rule(copies, (NO_COPIES,)),
    Rule(tags, (TOO_FEW_TAGGED, TOO_FEW_TAGGED_UNUSED)),
)
