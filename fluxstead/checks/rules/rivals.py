"""Two objects that do the same to one workload: autoscalers and disruption budgets (failures F18, U9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.checks.rules.selectors import matches
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import group_of
from fluxstead.core.shape import mapping

TWO_AUTOSCALERS = refuses(
    "ownership/two-autoscalers", "U9", "HorizontalPodAutoscaler web/b scales Deployment site, as HorizontalPodAutoscaler web/a does"
)
TWO_BUDGETS = refuses(
    "ownership/two-budgets",
    "F18",
    "PodDisruptionBudget web/b is a budget for the pods of Deployment web/site, as PodDisruptionBudget web/a is",
)


def autoscalers(context: CheckContext) -> Iterator[Finding]:
    """One for each workload. KEDA creates a HorizontalPodAutoscaler for each of its own."""
    owners: dict[tuple[str, ...], AppliedObject] = {}
    for item in context.tree.of("HorizontalPodAutoscaler", "ScaledObject"):
        target = mapping(item.spec, "scaleTargetRef")
        kind, name = str(target.get("kind", "Deployment")), str(target.get("name"))
        if not item.is_final or "${" in f"{item.ref.namespace}{kind}{name}":
            continue
        group = group_of(str(target.get("apiVersion", "apps/v1")))
        first = owners.setdefault((item.ref.namespace, group, kind, name), item)
        if first is not item and first.ref != item.ref:
            yield TWO_AUTOSCALERS(
                line_with(context.tree.store, item.document, "scaleTargetRef"),
                what=f"{item} scales {kind} {name}, as {first} does, described at {first.source}",
                why="each undoes what the other does",
                fix="one autoscaler with the metrics of both",
            )


def budgets(context: CheckContext) -> Iterator[Finding]:
    """One for each pod: the API server evicts no pod that has two (Kubernetes, "Specifying a Disruption Budget")."""
    owners: dict[int, AppliedObject] = {}
    for item in context.tree.of("PodDisruptionBudget"):
        selector = item.spec.get("selector")
        if not item.is_final or not isinstance(selector, Mapping) or "${" in str(selector):
            continue
        pods = context.pods.with_labels(item.ref.namespace, mapping(selector, "matchLabels"))
        for pod in pods:
            if not pod.item.is_final or not matches(selector, pod.labels):
                continue
            first = owners.setdefault(id(pod), item)
            if first is not item and first.ref != item.ref:
                yield TWO_BUDGETS(
                    line_with(context.tree.store, item.document, "selector"),
                    what=f"{item} is a budget for the pods of {pod.item.ref}, as {first} is, described at {first.source}",
                    why="the API server evicts no pod that has two budgets, so no node can be drained (F18)",
                    fix="one budget, or selectors that do not overlap",
                )
                break


RULES = (
    Rule(autoscalers, (TWO_AUTOSCALERS,)),
    Rule(budgets, (TWO_BUDGETS,)),
)
