"""Capacity: whether the volumes that are asked for fit on the disks that are described (failure F1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.values_from import values_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, counted
from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import entries_of, mapping
from fluxstead.nodes.model import Disk
from fluxstead.systems.longhorn.disks import CHARTS_REPLICAS, copies_of, values_in
from fluxstead.systems.longhorn.values import copies_in

TOO_LITTLE_SPACE = refuses(
    "storage/capacity", "F1", "3 volumes on disks with hdd take 600Gi with all copies; 1 disk has 465Gi - 25Gi reserved = 440Gi"
)

_GI = Decimal(1024) ** 3
_MANY = 256
"""More selections than any cluster has: from there on, each is looked at alone."""


class _Volume(NamedTuple):
    item: AppliedObject
    storage_class: str
    size: Decimal


def findings(context: CheckContext) -> Iterator[Finding]:
    """What volumes on one selection of disks ask for, with all their copies, against what those disks have."""
    if not any(node.disks for node in context.nodes):
        return
    said = mapping(values_in(context), "persistence").get("defaultClassReplicaCount")
    replicas = copies_in(said) or CHARTS_REPLICAS
    # By class: the tags it asks for, and its number of copies.
    classes = {"longhorn": (frozenset[str](), replicas)}
    for item in context.tree.of("StorageClass"):
        if context.facts.is_placed_on_disks(item):
            parameters = mapping(item.object, "parameters")
            tags = frozenset(filter(None, str(parameters.get("diskSelector") or "").split(",")))
            classes[item.ref.name] = tags, copies_of(parameters, replicas)
    asked: dict[frozenset[str], list[tuple[_Volume, int]]] = defaultdict(list)
    for volume in _volumes(context):
        if volume.storage_class in classes:
            tags, copies = classes[volume.storage_class]
            asked[tags].append((volume, copies))
    live = [disk for node in context.nodes if node.state == "live" for disk in node.disks if disk.scheduling and not disk.evict]
    placed = {tags: frozenset(index for index, disk in enumerate(live) if tags <= set(disk.tags)) for tags in asked}
    told: list[frozenset[int]] = []
    for chosen in sorted(_together(placed.values()), key=len):
        # What no disk can take is judged by itself, and fills none.
        inside = [tags for tags, disks in placed.items() if disks <= chosen and bool(disks) is bool(chosen)]
        volumes = [one for tags in inside for one in asked[tags]]
        finding = _judged([live[index] for index in chosen], inside, volumes, _over_provisioned(context))
        if finding and not any(disks and disks <= chosen for disks in told):
            told.append(chosen)
            yield finding


def _together(selections: Iterable[frozenset[int]]) -> set[frozenset[int]]:
    """Every selection of disks, and those that overlap taken together: a disk with two tags is filled by both."""
    found, new = set(selections), set(selections)
    while new and len(found) < _MANY:
        new = {one | other for one in new for other in found if one & other} - found
        found |= new
    return found


def _over_provisioned(context: CheckContext) -> Decimal:
    """How much of a disk Longhorn gives away, all of it unless `storageOverProvisioningPercentage` says otherwise."""
    said = str(mapping(values_in(context), "defaultSettings").get("storageOverProvisioningPercentage"))
    return Decimal(said) / 100 if said.isdecimal() else Decimal(1)


def _judged(
    disks: list[Disk], selections: list[frozenset[str]], volumes: list[tuple[_Volume, int]], over_provisioned: Decimal
) -> Finding | None:
    size, reserved = sum((disk.size.amount for disk in disks), Decimal()), sum((disk.reserved.amount for disk in disks), Decimal())
    wanted = sum((volume.size * replicas for volume, replicas in volumes), Decimal())
    there = (size - reserved) * over_provisioned
    if wanted <= there:
        return None
    largest, replicas = max(volumes, key=lambda one: one[0].size * one[1])
    on = " or ".join(", ".join(sorted(tags)) or "any tag" for tags in sorted(selections, key=sorted))
    asked = f"{counted(len(volumes), 'volume')} on disks with {on}"
    given = f"{counted(len(disks), 'disk')} {'has' if len(disks) == 1 else 'have'} {_gi(size)} - {_gi(reserved)} reserved"
    given += "" if over_provisioned == 1 else f", at {over_provisioned * 100:.0f} %"
    return TOO_LITTLE_SPACE(
        largest.item.source,
        what=f"{asked} {'takes' if len(volumes) == 1 else 'take'} {_gi(wanted)} with all copies; {given} = {_gi(there)}",
        why="Longhorn places no replica that does not fit, and its volume stays degraded or unbound (F1)",
        fix=f"smaller volumes or more disks; the largest is {largest.item.ref}: {_gi(largest.size)} in"
        f" {counted(replicas, 'copy', 'copies')}",
    )


def _gi(value: Decimal) -> str:
    return f"{value / _GI:.1f}".removesuffix(".0") + "Gi"


def _volumes(context: CheckContext) -> Iterator[_Volume]:
    for item in context.tree.of("PersistentVolumeClaim"):
        yield from _claim(item, item.spec, 1)
    for item in context.tree.of("StatefulSet"):
        replicas = item.spec.get("replicas", 1)
        for claim in entries_of(item.spec, "volumeClaimTemplates"):
            yield from _claim(item, mapping(claim, "spec"), replicas if isinstance(replicas, int) else 1)
    for item in context.tree.of("HelmRelease"):
        yield from _in_values(item, values_of(context.tree, item).certain)


def _claim(item: AppliedObject, spec: Mapping[str, Any], count: int) -> Iterator[_Volume]:
    size = mapping(mapping(spec, "resources"), "requests").get("storage") or spec.get("size")
    name = spec.get("storageClassName") or spec.get("storageClass")
    asked = Quantity.read(size)
    if isinstance(name, str) and asked:
        yield _Volume(item, name, asked.amount * count)


def _in_values(item: AppliedObject, values: Any) -> Iterator[_Volume]:
    if isinstance(values, Mapping):
        yield from _claim(item, values, 1)
        for value in values.values():
            yield from _in_values(item, value)
    elif isinstance(values, list):
        for value in values:
            yield from _in_values(item, value)


RULES = (Rule(findings, (TOO_LITTLE_SPACE,)),)
