"""The cold start: the written files, walked as Flux would walk them on an empty cluster (failures F1, U5).

For everything that an object needs there are three answers: yes, no and cannot tell (a chart that the table does not know, a
directory of another repository, something a person creates by hand). Only "no" is a finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from fluxstead.catalog.brings import k3s_brings
from fluxstead.catalog.brings.k3s import NAMESPACES
from fluxstead.checks.known import Known
from fluxstead.checks.objects.needed import brought_by, brought_when_ready, is_first, needed_by
from fluxstead.checks.reading.view import Item, Unit, View
from fluxstead.checks.reading.waiting import Waiting, waiting_in, watched
from fluxstead.checks.rule import Rule
from fluxstead.checks.subject import Subject
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.platform import FLUX_NAMESPACE, Platform
from fluxstead.core.requirement import GroupKind, Requirement, custom_kind, ingress_class, namespace, storage_class

DEADLOCK = refuses("coldstart/deadlock", "F2, U5", "Kustomizations wait for each other: apps → databases → apps")
FROM_OUTSIDE = warns(
    "coldstart/from-outside",
    "U5",
    "ClusterIssuer ca needs kind ClusterIssuer.cert-manager.io, which HelmRelease … brings from the same Kustomization",
)
NEVER = refuses(
    "coldstart/never",
    "U5",
    "Certificate web/site needs kind Certificate.cert-manager.io, and nothing in the tree, in k3s or in Flux brings it",
)
RETRIED = warns(
    "coldstart/retried",
    "U5",
    "ServiceMonitor web/site needs kind ServiceMonitor.…, which HelmRelease … brings, and Kustomization … does not depend on …",
)
STUCK = refuses(
    "coldstart/stuck",
    "U5",
    "ClusterIssuer ca needs kind ClusterIssuer.cert-manager.io, which HelmRelease … brings from the same Kustomization",
)
TOO_EARLY = refuses(
    "coldstart/too-early",
    "F1, U5",
    "PersistentVolumeClaim web/data needs StorageClass fast, which HelmRelease storage/volumes brings only once …",
)

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

    offers: dict[Requirement, list[_Offer]] = field(default_factory=lambda: defaultdict(list))
    on_disks: set[Requirement] = field(default_factory=set)
    """Storage classes whose volumes are placed on registered disks: usable once these are there, not once their own object is."""
    disks: list[list[_Offer]] = field(default_factory=list)
    """For each machine, who waits until its disks are registered; at least one of them must have been ready in time."""
    given: frozenset[Requirement] = frozenset()
    closed: bool = True
    """Whether everything that charts bring is known."""
    unknown: int = 0
    """The Kustomizations that bring what the table does not know, as steps of `Waiting`."""


def findings(subject: Subject) -> Iterator[Finding]:
    """Each Kustomization's first need that the cluster cannot meet in time, and Kustomizations that wait for each other."""
    view = subject.view
    waiting = waiting_in(view)
    stuck = 0
    for circle in waiting.circles:
        stuck |= sum(3 << 2 * unit.index for unit in circle)
        if not {unit.name for unit in circle} <= subject.blocked:
            yield _deadlock(circle)
    cluster = _cluster_of(view, subject.platform, subject.known)
    told: set[tuple[int, Requirement]] = set()
    for item in view.items:
        if not item.exact or (waiting.applied[item.unit.index] | 3 << 2 * item.unit.index) & stuck:
            continue  # what never starts needs no findings about its needs
        for need in needed_by(item):
            if need in cluster.given or (item.unit.index, need) in told or _is_told(subject, item.unit, need):
                continue
            told.add((item.unit.index, need))
            finding = _judge(item, need, cluster, waiting, described=subject.described)
            if finding:
                yield finding


def _is_told(subject: Subject, unit: Unit, need: Requirement) -> bool:
    """Whether it was already reported for the description, or only a variable's value would show what is needed."""
    return (unit.name, need) in subject.unmet or "${" in str(need)


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
                if isinstance(thing, ObjectRef) and thing.kind == "StorageClass" and cluster.disks:
                    cluster.on_disks.add(thing)
                else:
                    cluster.offers[thing].append(_Offer(item.unit, item, when_ready=True))
    for unit in view.units.values():
        if unit.elsewhere or not unit.exact:
            cluster.closed = False
            cluster.unknown |= 3 << 2 * unit.index
    return cluster


def _disks(view: View, known: Known) -> list[list[_Offer]]:
    """For each machine with disks, the Kustomizations that are ready only once its disks are; equal answers are kept once."""
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


def _given(platform: Platform | None) -> frozenset[Requirement]:
    """What k3s and Flux bring; without a description, what every Kubernetes has."""
    things: set[Requirement] = set(map(namespace, (*NAMESPACES, FLUX_NAMESPACE)))
    if platform:
        brings = k3s_brings(platform.disabled, platform.kubernetes)
        things.update(map(custom_kind, brings.crds))
        things.update(map(storage_class, brings.storage_classes))
        things.update(map(ingress_class, brings.ingress_classes))
    return frozenset(things)


def _judge(item: Item, need: Requirement, cluster: _Cluster, waiting: Waiting, *, described: bool) -> Finding | None:
    if isinstance(need, GroupKind) and need.group in (*_FLUX, *_FLUX_EXTRA):
        return None
    offers = cluster.offers.get(need, [])
    rows = [*([offers] if offers else []), *(cluster.disks if need in cluster.on_disks else [])]
    if not rows:
        # ServiceAccounts, which charts create as well, are checked by name (`accounts`).
        told = cluster.closed and described and need.kind != "ServiceAccount"
        return _never(item, need) if told else None
    late = [row for row in rows if not any(_in_time(item, need, offer, waiting) for offer in row)]
    if not late:
        return None
    offers = late[0]
    stuck = all(_after(item.unit, offer, need, waiting) for offer in offers)
    if described:
        return _stuck(item, need, offers[0]) if stuck and (is_first(need) or item.unit.waits) else _too_early(item, need, offers[0])
    if not is_first(need) or waiting.applied[item.unit.index] & cluster.unknown:
        return None
    return _from_outside(item, need, offers[0]) if stuck else _retried(item, need, offers[0])


def _in_time(item: Item, need: Requirement, offer: _Offer, waiting: Waiting) -> bool:
    """Whether the offer is there when the object is applied (or, for what need not be there first, when it is waited for)."""
    if offer.unit is item.unit:
        return not (offer.when_ready and is_first(need))
    return waiting.before(item.unit, offer.unit, ready=offer.when_ready)


def _after(unit: Unit, offer: _Offer, need: Requirement, waiting: Waiting) -> bool:
    """Whether the offer can only come after the Kustomization that needs it is ready."""
    if offer.unit is unit:
        return offer.when_ready and is_first(need)
    return waiting.before(offer.unit, unit, ready=True) and unit.waits


def _deadlock(circle: list[Unit]) -> Finding:
    way = " → ".join([*(unit.name for unit in circle), circle[0].name])
    document = next(unit.document for unit in circle if unit.document)
    return DEADLOCK(
        document.source,
        what=f"Kustomizations wait for each other: {way}",
        why="Flux never applies any of them; one with `wait: true` also waits for the Kustomizations and releases in it",
        write=f"an order in which `{circle[0].name}` does not wait for `{circle[1 % len(circle)].name}`",
    )


def _never(item: Item, need: Requirement) -> Finding:
    return NEVER(
        item.source,
        what=f"{item} needs {need}, and nothing in the tree, in k3s or in Flux brings it",
        why="on an empty cluster it is refused, or never becomes ready (U5)",
        write=f"what brings {need}, in this Kustomization or in one that it depends on",
    )


def _stuck(item: Item, need: Requirement, offer: _Offer) -> Finding:
    same = offer.unit is item.unit
    return STUCK(
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings "
        + ("from the same Kustomization" if same else f"from Kustomization {offer.unit.key}, which waits for this one"),
        why="Flux validates a whole Kustomization before it applies any of it, so neither is ever applied (U5)"
        if same
        else "each waits for the other on an empty cluster (U5)",
        write=f"a Kustomization of its own for {item.ref.kind} {item.ref.name}, with a dependsOn on the other one",
    )


def _from_outside(item: Item, need: Requirement, offer: _Offer) -> Finding:
    return FROM_OUTSIDE(
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings "
        + ("from the same Kustomization" if offer.unit is item.unit else "from one that waits for this one"),
        why="an empty cluster only starts if somebody installs it before Flux, outside this tree (U5)",
        write=f"a Kustomization of its own for {item.ref.kind} {item.ref.name}, with a dependsOn on {offer.unit.name}",
    )


def _too_early(item: Item, need: Requirement, offer: _Offer) -> Finding:
    return TOO_EARLY(
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings only once Kustomization {offer.unit.key} is "
        + ("ready" if offer.when_ready else "applied"),
        why=f"Kustomization {item.unit.key} does not wait for it, and fails on an empty cluster (U5)",
        write=f"dependsOn: {offer.unit.name}",
    )


def _retried(item: Item, need: Requirement, offer: _Offer) -> Finding:
    return RETRIED(
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings, and {item.unit.key} does not depend on {offer.unit.key}",
        why="on an empty cluster the whole Kustomization fails until then; Flux retries every retryInterval (U5)",
        write=f"dependsOn: {offer.unit.name}",
    )


RULES = (Rule(findings, (DEADLOCK, FROM_OUTSIDE, NEVER, RETRIED, STUCK, TOO_EARLY)),)
