"""The cold start: the written files, walked as Flux would walk them on an empty cluster (failures F1, U5).

For everything that an object needs there are three answers: yes, no and cannot tell (a chart that the table does not have, a
directory of another repository, something a person makes by hand). Only "no" is a finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from fluxstead.catalog.brings import k3s_brings
from fluxstead.catalog.brings.k3s import NAMESPACES
from fluxstead.checks.known import Known
from fluxstead.checks.objects.needed import Thing, brought_by, brought_when_ready, needed_by
from fluxstead.checks.reading.view import Item, Unit, View
from fluxstead.checks.reading.waiting import Waiting, waiting_in, watched
from fluxstead.checks.subject import Subject
from fluxstead.core.findings import Finding, error, warning
from fluxstead.core.platform import FLUX_NAMESPACE, Platform

_FLUX = ("kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io", "notification.toolkit.fluxcd.io")
_FLUX_EXTRA = ("image.toolkit.fluxcd.io", "fluxcd.controlplane.io")


@dataclass(slots=True)
class _Offer:
    """Who brings a thing: a Kustomization by applying it, or by being ready with a release."""

    unit: Unit
    item: Item
    when_ready: bool


@dataclass(slots=True)
class _Cluster:
    """The offers of the whole tree, and what is there before it."""

    offers: dict[Thing, list[_Offer]] = field(default_factory=lambda: defaultdict(list))
    on_disks: set[Thing] = field(default_factory=set)
    """The storage classes whose volumes lie on registered disks: they are usable with these, not with their own object."""
    disks: list[list[_Offer]] = field(default_factory=list)
    """Who waits until a machine's disks are registered; each of these has to have one that came in time."""
    given: frozenset[Thing] = frozenset()
    closed: bool = True
    """Whether everything that charts bring is known."""
    unknown: int = 0
    """The Kustomizations that bring what the table does not have, as steps of `Waiting`."""


def findings(subject: Subject) -> Iterator[Finding]:
    """The first need of each Kustomization that the cluster cannot meet in time, and Kustomizations that wait for each other."""
    view = subject.view
    waiting = waiting_in(view)
    for circle in waiting.circles:
        yield _deadlock(circle)
    if waiting.circles:
        return
    cluster = _cluster_of(view, subject.platform, subject.known)
    told: set[tuple[int, Thing]] = set()
    for item in view.items:
        if not item.exact:
            continue
        for need in needed_by(item):
            if need in cluster.given or (item.unit.index, need) in told or "${" in need.name + need.namespace:
                continue
            told.add((item.unit.index, need))
            finding = _judge(item, need, cluster, waiting, described=subject.described)
            if finding:
                yield finding


def _cluster_of(view: View, platform: Platform | None, known: Known) -> _Cluster:
    cluster = _Cluster(given=_given(platform), closed=platform is not None, disks=_disks(view, known))
    for item in view.items:
        for thing in brought_by(item):
            if known.is_placed_on_disks(item) and cluster.disks:
                cluster.on_disks.add(thing)
            else:
                cluster.offers[thing].append(_Offer(item.unit, item, when_ready=False))
        if item.ref.kind == "HelmRelease":
            brings = known.brings(view, item)
            if brings is None:
                cluster.closed = False
                cluster.unknown |= 3 << 2 * item.unit.index
            for thing in brought_when_ready(brings) if brings else ():
                if thing.sort == "storage class" and cluster.disks:
                    cluster.on_disks.add(thing)
                else:
                    cluster.offers[thing].append(_Offer(item.unit, item, when_ready=True))
    for unit in view.units.values():
        if unit.elsewhere or not unit.exact:
            cluster.closed = False
            cluster.unknown |= 3 << 2 * unit.index
    return cluster


def _disks(view: View, known: Known) -> list[list[_Offer]]:
    """For each machine with disks, the Kustomizations that are ready only with them; those of one answer stand for all."""
    nodes = known.disk_objects(view)
    waits: dict[int, list[Unit]] = {id(item): [item.unit] if item.unit.spec.get("wait") else [] for item in nodes}
    for unit in {unit.index: unit for unit in view.units.values()}.values():
        for item in watched(view, unit):
            if id(item) in waits:
                waits[id(item)].append(unit)
    rows: dict[tuple[int, ...], list[_Offer]] = {}
    for item in nodes:
        units = waits[id(item)] or [item.unit]
        rows.setdefault(tuple(unit.index for unit in units), [_Offer(unit, item, when_ready=True) for unit in units])
    return list(rows.values())


def _given(platform: Platform | None) -> frozenset[Thing]:
    """What k3s and Flux bring; without a description, whatever a Kubernetes has."""
    things = {Thing("namespace", name) for name in (*NAMESPACES, FLUX_NAMESPACE)}
    things.add(Thing("service account", "default"))
    if platform:
        brings = k3s_brings(platform.disabled, platform.kubernetes)
        things |= {Thing("kind", kind) for kind in brings.crds}
        things |= {Thing("storage class", name) for name in brings.storage_classes}
        things |= {Thing("ingress class", name) for name in brings.ingress_classes}
    return frozenset(things)


def _judge(item: Item, need: Thing, cluster: _Cluster, waiting: Waiting, *, described: bool) -> Finding | None:
    if need.sort == "kind" and need.name.partition(".")[2] in (*_FLUX, *_FLUX_EXTRA):
        return None
    offers = cluster.offers.get(need, [])
    rows = [*([offers] if offers else []), *(cluster.disks if need in cluster.on_disks else [])]
    if not rows:
        # ServiceAccounts, which charts make as well, are asked for by name (`accounts`).
        told = cluster.closed and described and need.sort != "service account"
        return _never(item, need) if told else None
    late = [row for row in rows if not any(_in_time(item, need, offer, waiting) for offer in row)]
    if not late:
        return None
    offers = late[0]
    stuck = all(_after(item.unit, offer, need, waiting) for offer in offers)
    if described:
        return _stuck(item, need, offers[0]) if stuck and (need.first or item.unit.waits) else _too_early(item, need, offers[0])
    if not need.first or waiting.applied[item.unit.index] & cluster.unknown:
        return None
    return _from_outside(item, need, offers[0]) if stuck else _retried(item, need, offers[0])


def _in_time(item: Item, need: Thing, offer: _Offer, waiting: Waiting) -> bool:
    """Whether the offer is there when the object is applied (or, for what need not be there first, when it is waited for)."""
    if offer.unit is item.unit:
        return not (offer.when_ready and need.first)
    return waiting.before(item.unit, offer.unit, ready=offer.when_ready)


def _after(unit: Unit, offer: _Offer, need: Thing, waiting: Waiting) -> bool:
    """Whether the offer can only come once the one who needs it is through."""
    if offer.unit is unit:
        return offer.when_ready and need.first
    return waiting.before(offer.unit, unit, ready=True) and unit.waits


def _deadlock(circle: list[Unit]) -> Finding:
    way = " → ".join([*(unit.name for unit in circle), circle[0].name])
    document = next(unit.document for unit in circle if unit.document)
    return error(
        "coldstart/deadlock",
        document.source,
        what=f"Kustomizations wait for each other: {way}",
        why="Flux never applies any of them; one with `wait: true` also waits for what it contains: other ones, and releases",
        write=f"a dependsOn without the step from `{circle[0].name}` to `{circle[1 % len(circle)].name}`",
    )


def _never(item: Item, need: Thing) -> Finding:
    return error(
        "coldstart/never",
        item.source,
        what=f"{item} needs {need}, and nothing in the tree, in k3s or in Flux brings it",
        why="on an empty cluster it is refused, or never becomes ready (U5)",
        write=f"what brings {need}, in this Kustomization or in one that it depends on",
    )


def _stuck(item: Item, need: Thing, offer: _Offer) -> Finding:
    same = offer.unit is item.unit
    return error(
        "coldstart/stuck",
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings "
        + ("from the same Kustomization" if same else f"from Kustomization {offer.unit.key}, which waits for this one"),
        why="Flux checks a whole Kustomization before it applies any of it, so that neither is ever applied (U5)"
        if same
        else "each waits for the other on an empty cluster (U5)",
        write=f"a Kustomization of its own for {item.ref.kind} {item.ref.name}, with a dependsOn on the other one",
    )


def _from_outside(item: Item, need: Thing, offer: _Offer) -> Finding:
    return warning(
        "coldstart/from-outside",
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings "
        + ("from the same Kustomization" if offer.unit is item.unit else "from one that waits for this one"),
        why="an empty cluster starts only where somebody installs it before Flux, outside this tree (U5)",
        write=f"a Kustomization of its own for {item.ref.kind} {item.ref.name}, with a dependsOn on {offer.unit.name}",
    )


def _too_early(item: Item, need: Thing, offer: _Offer) -> Finding:
    return error(
        "coldstart/too-early",
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings only once Kustomization {offer.unit.key} is "
        + ("ready" if offer.when_ready else "applied"),
        why=f"Kustomization {item.unit.key} does not wait for it, and fails on an empty cluster (U5)",
        write=f"dependsOn: {offer.unit.name}",
    )


def _retried(item: Item, need: Thing, offer: _Offer) -> Finding:
    return warning(
        "coldstart/retried",
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings, and {item.unit.key} does not depend on {offer.unit.key}",
        why="on an empty cluster the whole Kustomization fails until then; Flux tries again every retryInterval (U5)",
        write=f"dependsOn: {offer.unit.name}",
    )
