"""How many pods there are, and what that does not go with: an autoscaler, a volume of one node, a budget (F1, F18, U9).

For what people wrote: what the description says of its applications is refused where it is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.claims import claims_of
from fluxstead.checks.objects.pods import Pod
from fluxstead.checks.objects.scaled import SCALED
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.apply import is_left_alone
from fluxstead.checks.reading.store import line_with, texts_of
from fluxstead.checks.rule import Rule
from fluxstead.checks.rules.selectors import matches
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding, counted
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import mapping

NEVER_EVICTED = warns("scaling/budget-blocks-drains", "F18", "PodDisruptionBudget web/site lets none of its 2 pods be evicted")
ONE_NODE_AT_A_TIME = warns(
    "scaling/shared-claim",
    "F1",
    "Deployment web/site has up to 3 pods, which share the ReadWriteOnce volume of PersistentVolumeClaim data",
)
ROLLS_WITH_VOLUME = warns(
    "scaling/rolling-claim", "F1", "Deployment web/site starts a new pod before the old one gives up its volume"
)
TWO_NUMBERS = warns("scaling/two-numbers", "U9", "Deployment web/site has replicas: 1, and HorizontalPodAutoscaler site scales it")

_ONE_NODE = frozenset({"ReadWriteOnce", "ReadWriteOncePod"})
_PERCENT = re.compile(r"(\d{1,3})%")


def numbers(context: CheckContext) -> Iterator[Finding]:
    """A fixed number of pods beside an autoscaler."""
    for item in _workloads(context):
        count, own = context.scaled.of(item), item.spec.get("replicas")
        if count.scaler is None or own is None or is_left_alone(item):
            continue
        if count.fewest == count.most == own:
            continue
        yield TWO_NUMBERS(
            line_with(context.tree.store, item.document, "replicas:"),
            what=f"{item} has replicas: {own}, and {count.scaler.ref} scales it",
            why=f"whenever Flux applies it, the pods go back to {own}, under whatever load",
            fix="no `replicas` here; the autoscaler's minimum is where it starts",
        )


def volumes(context: CheckContext) -> Iterator[Finding]:
    """Volumes that are on one node at a time, mounted by pods that may be on several."""
    if len(context.nodes) == 1:
        return
    for item in _workloads(context):
        pod, count = mapping(mapping(item.spec, "template"), "spec"), context.scaled.of(item)
        claim = next((name for name in claims_of(pod).values() if _on_one_node(context, item, name)), None)
        if claim is None or not count.most:
            continue
        if count.most > 1:
            yield ONE_NODE_AT_A_TIME(
                line_with(context.tree.store, item.document, claim if count.scaler else "replicas:"),
                what=f"{item} has up to {count.most} pods, which share the ReadWriteOnce volume of PersistentVolumeClaim {claim}",
                why="the volume is on one node at a time, and pods on another never start",
                fix="replicas: 1; or a ReadWriteMany claim, or a StatefulSet with volumeClaimTemplates",
            )
        elif item.ref.kind == "Deployment" and _overlaps(item):
            yield ROLLS_WITH_VOLUME(
                line_with(context.tree.store, item.document, "strategy:"),
                what=f"{item} starts a new pod before the old one gives up its volume, PersistentVolumeClaim {claim}",
                why="on another node the new pod waits for the volume, and the old one for the new: the update never ends",
                fix="strategy: {type: Recreate}",
            )


def _on_one_node(context: CheckContext, item: AppliedObject, name: str) -> bool:
    claim = context.tree.one(ObjectRef("", "PersistentVolumeClaim", item.ref.namespace, name))
    modes = set(texts_of(claim.spec, "accessModes")) if claim is not None and claim.is_final else set[str]()
    return bool(modes) and modes <= _ONE_NODE


def _overlaps(item: AppliedObject) -> bool:
    """Whether an update has two pods at a time (apps/v1, RollingUpdateDeployment: maxSurge is 25 % by default)."""
    strategy = mapping(item.spec, "strategy")
    rolling = strategy.get("type", "RollingUpdate") == "RollingUpdate"
    return rolling and mapping(strategy, "rollingUpdate").get("maxSurge") not in (0, "0", "0%")


def budgets(context: CheckContext) -> Iterator[Finding]:
    """Budgets that allow no pod to be evicted, so that the node which runs it never drains."""
    for item in context.tree.of("PodDisruptionBudget"):
        if not item.is_final or item.document.generated or "${" in str(item.spec):
            continue
        fixed, pods = _never(item), _pods_of(context, item)
        if not fixed and not (pods and _evictable(item, pods) < 1):
            continue
        whom = f"its {counted(pods, 'pod')}" if pods > 1 else "its pods"
        yield NEVER_EVICTED(
            line_with(context.tree.store, item.document, "maxUnavailable" if "maxUnavailable" in item.spec else "minAvailable"),
            what=f"{item} lets its only pod not be evicted" if pods == 1 else f"{item} lets none of {whom} be evicted",
            why="a node that runs one never drains, and so an upgrade of k3s that waits for it never ends",
            fix="maxUnavailable: 1" + (", with 2 replicas or more" if pods == 1 else ""),
        )


def _never(budget: AppliedObject) -> bool:
    """Whether no pod may go, however many there are."""
    return budget.spec.get("maxUnavailable") in (0, "0", "0%") or budget.spec.get("minAvailable") == "100%"


def _pods_of(context: CheckContext, budget: AppliedObject) -> int:
    """The fewest pods that the budget is for; none where there may be pods that no file shows."""
    selector = mapping(budget.spec, "selector")
    if not selector or context.tree.partial or budget.ref.namespace in context.opaque_namespaces:
        return 0
    pods = [
        pod
        for pod in context.pods.with_labels(budget.ref.namespace, mapping(selector, "matchLabels"))
        if matches(selector, pod.labels)
    ]
    return sum(_fewest(context, pod) for pod in pods) if all(pod.item.ref.kind in SCALED for pod in pods) else 0


def _fewest(context: CheckContext, pod: Pod) -> int:
    return context.scaled.of(pod.item).fewest


def _evictable(budget: AppliedObject, pods: int) -> int:
    """How many of `pods` may go. Shares are rounded up (kubernetes: pkg/controller/disruption/disruption.go)."""
    least, most = _share(budget.spec.get("minAvailable"), pods), _share(budget.spec.get("maxUnavailable"), pods)
    return pods - least if least is not None else pods if most is None else most


def _share(value: object, pods: int) -> int | None:
    """A number of pods, or a share of them; None for anything else."""
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if percent:
        return math.ceil(int(percent[1]) * pods / 100)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _workloads(context: CheckContext) -> Iterator[AppliedObject]:
    for item in context.tree.of(*sorted(SCALED)):
        if item.is_final and not item.document.generated and "${" not in str(item.spec.get("replicas")):
            yield item


RULES = (
    Rule(numbers, (TWO_NUMBERS,)),
    Rule(volumes, (ONE_NODE_AT_A_TIME, ROLLS_WITH_VOLUME)),
    Rule(budgets, (NEVER_EVICTED,)),
)
