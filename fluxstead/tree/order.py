"""The order: which layer waits for which, inferred from needs and offers."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

from fluxstead.catalog.chart import Charts
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.core.manifest import ObjectRef, group_of
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.requirement import GroupKind, Requirement, service_account
from fluxstead.tree.layer import Layer
from fluxstead.tree.needs import needs_of, offers_of

CYCLE = refuses("order/cycle", "F2", "layers wait for each other: a → b → a", "the description")
DANGLING_DEPENDENCY = refuses(
    "order/dangling-dependency", "F2", "layer `monitoring` depends on `infrastructur`, which does not exist", "the description"
)
UNMET_NEED = refuses("order/unmet-need", "U5", "layer `web` needs StorageClass fast, and nothing offers it", "the description")
CHECKS = (CYCLE, DANGLING_DEPENDENCY, UNMET_NEED)


class Edge(NamedTuple):
    """`layer` waits for `dependency`, because of these needs (none: the description names it).

    With `watched` it is applied without waiting, but ready only when these objects of `dependency` are healthy.
    """

    layer: str
    dependency: str
    needs: tuple[Requirement, ...] = ()
    watched: tuple[ObjectRef, ...] = ()


@dataclass(slots=True)
class Order:
    """The layers in an order in which each stands below what it waits for, and the edges of each layer by its name."""

    layers: tuple[Layer, ...] = ()
    edges: dict[str, tuple[Edge, ...]] = field(default_factory=dict)
    beside: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What each layer waits for that is no layer: Kustomizations that people wrote."""
    findings: list[Finding] = field(default_factory=list)
    unmet: frozenset[tuple[str, Requirement]] = frozenset()
    """Layers with what each needs and nothing offers."""
    blocked: frozenset[str] = frozenset()
    """The layers that wait for each other, and those that wait for these."""

    def dependencies(self, layer: str) -> tuple[str, ...]:
        """The names of the layers that `layer` waits for before it is applied, in the tree's order."""
        return tuple(edge.dependency for edge in self.edges[layer] if not edge.watched)


def order(layers: Sequence[Layer], given: Iterable[Requirement], charts: Charts, written: Collection[str] = frozenset()) -> Order:
    """Infer the edges between `layers`. `given` is what the cluster has before any layer is applied; `charts`, what charts bring.

    `written`: the names of the Kustomizations that people wrote, which a layer may wait for; what these wait for, files say.

    Findings: a need that nobody offers, a dependency that does not exist (F2), a cycle. The result lists
    layers in the order given wherever the edges leave a choice, so that an unrelated change moves nothing.
    """
    result = Order()
    by_name = {layer.name: layer for layer in layers}
    offered_by = _offers(layers, charts)
    base = frozenset(given)
    owners = _owners(layers)
    unmet: set[tuple[str, Requirement]] = set()
    for layer in layers:
        edges: dict[str, list[Requirement]] = {}
        for need, source in _needs(layer).items():
            if need in base:
                continue
            owner = offered_by.get(need)
            if owner is None:
                result.findings.append(_unmet(layer, need, source, offered_by))
                unmet.add((layer.name, need))
            elif owner != layer.name:
                edges.setdefault(owner, []).append(need)
        for name in layer.depends_on:
            if name in by_name:
                edges.setdefault(name, [])
            elif name not in written:
                result.findings.append(_dangling(layer, name, {*by_name, *written}))
        result.beside[layer.name] = tuple(name for name in layer.depends_on if name in written and name not in by_name)
        result.edges[layer.name] = (
            *(Edge(layer.name, name, tuple(sorted(needs, key=str))) for name, needs in edges.items()),
            *(Edge(layer.name, name, (), refs) for name, refs in _watched(layer, owners).items() if name not in edges),
        )
    result.unmet = frozenset(unmet)
    _sort(result, layers)
    return result


def _offers(layers: Sequence[Layer], charts: Charts) -> dict[Requirement, str]:
    """Who offers what. What a layer declares overrides what its objects show: a class may be usable only with disks."""
    objects = ((layer.name, manifest.object) for layer in layers for manifest in layer.manifests)
    offered = {offer: name for name, obj in objects for offer in offers_of(obj, charts)}
    offered.update({offer: layer.name for layer in layers for offer in layer.offers})
    return offered


def _owners(layers: Sequence[Layer]) -> dict[ObjectRef, str]:
    """The layers of the objects that layers watch."""
    watched = {_ref(check) for layer in layers for check in layer.health_checks}
    return {manifest.ref: layer.name for layer in layers if watched for manifest in layer.manifests if manifest.ref in watched}


def _watched(layer: Layer, owners: Mapping[ObjectRef, str]) -> dict[str, tuple[ObjectRef, ...]]:
    """The objects of other layers that make it ready, by their layer."""
    found: dict[str, list[ObjectRef]] = {}
    for ref in map(_ref, layer.health_checks):
        if owners[ref] != layer.name:
            found.setdefault(owners[ref], []).append(ref)
    return {name: tuple(refs) for name, refs in found.items()}


def _ref(check: Mapping[str, str]) -> ObjectRef:
    return ObjectRef(group_of(check["apiVersion"]), check["kind"], check.get("namespace", ""), check["name"])


def _needs(layer: Layer) -> dict[Requirement, Source]:
    needs = dict.fromkeys(sorted(layer.needs, key=str), layer.source)
    if layer.service_account_name:
        needs[service_account(FLUX_NAMESPACE, layer.service_account_name)] = layer.source
    for manifest in layer.manifests:
        for need in needs_of(manifest.object):
            needs.setdefault(need, manifest.source)
    return needs


def _unmet(layer: Layer, need: Requirement, source: Source, offered: Mapping[Requirement, str]) -> Finding:
    names = {_name_of(other): other for other in offered if _sort_of(other) == _sort_of(need)}
    near = difflib.get_close_matches(_name_of(need), sorted(names), n=1)
    return UNMET_NEED(
        source,
        what=f"layer `{layer.name}` needs {need}, and nothing offers it",
        why="on an empty cluster the layer would fail, or wait, forever (U5)",
        fix=f"{names[near[0]]}, offered by layer `{offered[names[near[0]]]}`"
        if near
        else f"a system or an object that brings {need}",
    )


def _sort_of(one: Requirement) -> object:
    return GroupKind if isinstance(one, GroupKind) else (one.group, one.kind)


def _name_of(one: Requirement) -> str:
    return str(one) if isinstance(one, GroupKind) else one.name


def _dangling(layer: Layer, name: str, known: Collection[str]) -> Finding:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    return DANGLING_DEPENDENCY(
        layer.source,
        what=f"layer `{layer.name}` depends on `{name}`, which does not exist",
        why="Flux waits forever for a Kustomization that nobody created (F2)",
        fix=" or ".join(near) if near else f"one of: {', '.join(sorted(known))}",
    )


def _sort(result: Order, layers: Sequence[Layer]) -> None:
    """Kahn's algorithm: of the layers that wait for nothing more, always the one that was declared first."""
    waits = {name: {edge.dependency for edge in edges} for name, edges in result.edges.items()}
    left = {name: len(names) for name, names in waits.items()}
    followers: dict[str, list[int]] = {layer.name: [] for layer in layers}
    for position, layer in enumerate(layers):
        for name in waits[layer.name]:
            followers[name].append(position)
    ready = [position for position, layer in enumerate(layers) if not left[layer.name]]
    placed: list[Layer] = []
    while ready:
        layer = layers[heappop(ready)]
        placed.append(layer)
        for position in followers[layer.name]:
            follower = layers[position].name
            left[follower] -= 1
            if not left[follower]:
                heappush(ready, position)
    blocked = [layer for layer in layers if left[layer.name]]
    if blocked:
        result.findings += _cycle(result, blocked)
        result.blocked = frozenset(layer.name for layer in blocked)
    result.layers = (*placed, *blocked)
    rank = {layer.name: position for position, layer in enumerate(result.layers)}
    for name, edges in result.edges.items():
        result.edges[name] = tuple(sorted(edges, key=lambda edge: rank[edge.dependency]))


def _cycle(result: Order, blocked: Sequence[Layer]) -> Iterator[Finding]:
    """Those that wait for each other; of two layers with one name, which is said elsewhere, there may be no such thing."""
    by_name = {layer.name: layer for layer in blocked}
    way = [blocked[0].name]
    while True:
        step = next((edge.dependency for edge in result.edges[way[-1]] if edge.dependency in by_name), None)
        if step is None:
            return
        if step in way:
            way = [*way[way.index(step) :], step]
            break
        way.append(step)
    steps = list(pairwise(way))
    layer, other = next(((one, to) for one, to in steps if to in by_name[one].depends_on), steps[0])
    needs = next(edge.needs for edge in result.edges[layer] if edge.dependency == other)
    written = f"the dependsOn of `{layer}` without `{other}`"
    inferred = f"`{layer}` without what it uses from `{other}`: {', '.join(map(str, needs))}"
    yield CYCLE(
        by_name[layer].source,
        what=f"layers wait for each other: {' → '.join(way)}",
        why="Flux would never apply any of them",
        fix=" and ".join([*([written] if other in by_name[layer].depends_on else []), *([inferred] if needs else [])]),
    )
