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
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.requirements import is_needed_to_apply, provided_by, provided_when_ready, requirements_of
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree, FluxKustomization
from fluxstead.checks.reading.waiting import Waiting, waiting_in, watched
from fluxstead.checks.rule import Rule
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.platform import FLUX_NAMESPACE, Platform
from fluxstead.core.requirement import GroupKind, Requirement, ingress_class, namespace, storage_class

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

    kustomization: FluxKustomization
    item: AppliedObject
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


def findings(context: CheckContext) -> Iterator[Finding]:
    """Each Kustomization's first need that the cluster cannot meet in time, and Kustomizations that wait for each other."""
    tree = context.tree
    waiting = waiting_in(tree)
    for circle in waiting.circles:
        if not {kustomization.name for kustomization in circle} <= context.blocked:
            yield _deadlock(circle)
    never = _never_started(tree, waiting)
    cluster = _cluster_of(tree, context.platform, context.facts)
    told: set[tuple[int, Requirement]] = set()
    for item in tree.objects:
        if not item.has_final_name or item.kustomization.index in never:
            continue
        for need in requirements_of(item):
            if need in cluster.given or (item.kustomization.index, need) in told or _is_told(context, item.kustomization, need):
                continue
            told.add((item.kustomization.index, need))
            finding = _judge(item, need, cluster, waiting, described=context.described)
            if finding:
                yield finding


def _never_started(tree: AppliedTree, waiting: Waiting) -> set[int]:
    """The Kustomizations in circles and after them, of whose needs nothing is said, by index."""
    steps = {
        index: Waiting.steps(index) for circle in waiting.circles for index in (kustomization.index for kustomization in circle)
    }
    stuck = sum(steps.values())
    after = {one.index for one in tree.kustomizations.values() if waiting.applied[one.index] & stuck} if stuck else set()
    return after | steps.keys()


def _is_told(context: CheckContext, kustomization: FluxKustomization, need: Requirement) -> bool:
    """Whether it was already reported for the description, or only a variable's value would show what is needed."""
    return (kustomization.name, need) in context.unmet or "${" in str(need)


def _cluster_of(tree: AppliedTree, platform: Platform | None, facts: SystemFacts) -> _Cluster:
    cluster = _Cluster(given=_given(platform), closed=platform is not None, disks=_disks(tree, facts))
    for item in tree.objects:
        for requirement in provided_by(item):
            if facts.is_placed_on_disks(item) and cluster.disks:
                cluster.on_disks.add(requirement)
            else:
                cluster.offers[requirement].append(_Offer(item.kustomization, item, when_ready=False))
        if item.ref.kind == "HelmRelease":
            brings = facts.brings(tree, item)
            if brings is None:
                cluster.closed = False
                cluster.unknown |= Waiting.steps(item.kustomization.index)
            for requirement in provided_when_ready(brings) if brings else ():
                if isinstance(requirement, ObjectRef) and requirement.kind == "StorageClass" and cluster.disks:
                    cluster.on_disks.add(requirement)
                else:
                    cluster.offers[requirement].append(_Offer(item.kustomization, item, when_ready=True))
    for kustomization in tree.kustomizations.values():
        if kustomization.elsewhere or not kustomization.has_final_names:
            cluster.closed = False
            cluster.unknown |= Waiting.steps(kustomization.index)
    return cluster


def _disks(tree: AppliedTree, facts: SystemFacts) -> list[list[_Offer]]:
    """For each machine with disks, the Kustomizations that are ready only once its disks are; equal answers are kept once."""
    nodes = facts.disk_objects(tree)
    waits: dict[int, list[FluxKustomization]] = {
        id(item): [item.kustomization] if item.kustomization.spec.get("wait") else [] for item in nodes
    }
    for kustomization in {kustomization.index: kustomization for kustomization in tree.kustomizations.values()}.values():
        for item in watched(tree, kustomization):
            if id(item) in waits:
                waits[id(item)].append(kustomization)
    rows: dict[tuple[int, ...], list[_Offer]] = {}
    for item in nodes:
        kustomizations = waits[id(item)] or [item.kustomization]
        rows.setdefault(
            tuple(kustomization.index for kustomization in kustomizations),
            [_Offer(kustomization, item, when_ready=True) for kustomization in kustomizations],
        )
    return list(rows.values())


def _given(platform: Platform | None) -> frozenset[Requirement]:
    """What k3s and Flux bring; without a description, what every Kubernetes has."""
    requirements: set[Requirement] = set(map(namespace, (*NAMESPACES, FLUX_NAMESPACE)))
    if platform:
        brings = k3s_brings(platform.disabled, platform.kubernetes)
        requirements.update(brings.crds, platform.kinds)
        requirements.update(map(storage_class, brings.storage_classes))
        requirements.update(map(ingress_class, brings.ingress_classes))
    return frozenset(requirements)


def _judge(item: AppliedObject, need: Requirement, cluster: _Cluster, waiting: Waiting, *, described: bool) -> Finding | None:
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
    stuck = all(_after(item.kustomization, offer, need, waiting) for offer in offers)
    if described:
        return (
            _stuck(item, need, offers[0])
            if stuck and (is_needed_to_apply(need) or item.kustomization.waits)
            else _too_early(item, need, offers[0])
        )
    return _of_hand_written(item, need, offers, cluster, waiting, stuck=stuck)


def _of_hand_written(
    item: AppliedObject, need: Requirement, offers: list[_Offer], cluster: _Cluster, waiting: Waiting, *, stuck: bool
) -> Finding | None:
    """Without a description: who bootstraps a cluster installs operators, with their kinds, but no namespaces of applications."""
    if not is_needed_to_apply(need) or waiting.applied[item.kustomization.index] & cluster.unknown:
        return None
    inside = all(offer.kustomization.is_below(item.kustomization) for offer in offers)
    if inside and not isinstance(need, GroupKind) and not cluster.unknown & ~_with_children(waiting.tree, item.kustomization):
        return _stuck(item, need, offers[0])
    return _from_outside(item, need, offers[0]) if stuck or inside else _retried(item, need, offers[0])


def _in_time(item: AppliedObject, need: Requirement, offer: _Offer, waiting: Waiting) -> bool:
    """Whether the offer is there when the object is applied (or, for what need not be there first, when it is waited for)."""
    if offer.kustomization is item.kustomization:
        return not (offer.when_ready and is_needed_to_apply(need))
    return waiting.before(item.kustomization, offer.kustomization, ready=offer.when_ready)


def _after(kustomization: FluxKustomization, offer: _Offer, need: Requirement, waiting: Waiting) -> bool:
    """Whether the offer can only come after the Kustomization that needs it is ready."""
    if offer.kustomization is kustomization:
        return offer.when_ready and is_needed_to_apply(need)
    return waiting.before(offer.kustomization, kustomization, ready=True) and kustomization.waits


def _with_children(tree: AppliedTree, above: FluxKustomization) -> int:
    """The steps of a Kustomization and of all that it applies: none of them comes before it is applied."""
    own = {one.index for one in tree.kustomizations.values() if one is above or one.is_below(above)}
    return sum(map(Waiting.steps, own))


def _deadlock(circle: list[FluxKustomization]) -> Finding:
    way = " → ".join([*(kustomization.name for kustomization in circle), circle[0].name])
    document = next(kustomization.document for kustomization in circle if kustomization.document)
    return DEADLOCK(
        document.source,
        what=f"Kustomizations wait for each other: {way}",
        why="Flux never applies any of them; one with `wait: true` also waits for the Kustomizations and releases in it",
        fix=f"an order in which `{circle[0].name}` does not wait for `{circle[1 % len(circle)].name}`",
    )


def _never(item: AppliedObject, need: Requirement) -> Finding:
    return NEVER(
        item.source,
        what=f"{item} needs {need}, and nothing in the tree, in k3s or in Flux brings it",
        why="on an empty cluster it is refused, or never becomes ready (U5)",
        fix=f"what brings {need}, in this Kustomization or in one that it depends on"
        + (f"; `kubernetes: {{kinds: [{need.name}]}}` if something outside Flux does" if isinstance(need, GroupKind) else ""),
    )


def _stuck(item: AppliedObject, need: Requirement, offer: _Offer) -> Finding:
    same = offer.kustomization is item.kustomization
    return STUCK(
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings "
        + ("from the same Kustomization" if same else f"from {offer.kustomization.ref}, which {_comes_after(item, offer)}"),
        why="Flux validates a whole Kustomization before it applies any of it, so neither is ever applied (U5)"
        if same
        else "each waits for the other on an empty cluster (U5)",
        fix=f"a Kustomization of its own for {item.ref.kind} {item.ref.name}, with a dependsOn on the other one",
    )


def _comes_after(item: AppliedObject, offer: _Offer) -> str:
    return "this one applies first" if offer.kustomization.is_below(item.kustomization) else "waits for this one"


def _from_outside(item: AppliedObject, need: Requirement, offer: _Offer) -> Finding:
    return FROM_OUTSIDE(
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings "
        + (
            "from the same Kustomization"
            if offer.kustomization is item.kustomization
            else f"from one which {_comes_after(item, offer)}"
        ),
        why="an empty cluster only starts if somebody installs it before Flux, outside this tree (U5)",
        fix=f"a Kustomization of its own for {item.ref.kind} {item.ref.name}, with a dependsOn on {offer.kustomization.name}",
    )


def _too_early(item: AppliedObject, need: Requirement, offer: _Offer) -> Finding:
    return TOO_EARLY(
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings only once {offer.kustomization.ref} is "
        + ("ready" if offer.when_ready else "applied"),
        why=f"{item.kustomization.ref} does not wait for it, and fails on an empty cluster (U5)",
        fix=f"dependsOn: {offer.kustomization.name}",
    )


def _retried(item: AppliedObject, need: Requirement, offer: _Offer) -> Finding:
    return RETRIED(
        item.source,
        what=f"{item} needs {need}, which {offer.item} brings, and {item.kustomization.ref.qualified_name}"
        f" does not depend on {offer.kustomization.ref.qualified_name}",
        why="on an empty cluster the whole Kustomization fails until then; Flux retries every retryInterval (U5)",
        fix=f"dependsOn: {offer.kustomization.name}",
    )


RULES = (Rule(findings, (DEADLOCK, FROM_OUTSIDE, NEVER, RETRIED, STUCK, TOO_EARLY)),)
