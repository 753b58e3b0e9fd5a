"""Pods that their own namespace refuses: by its Pod Security Standard, or by its quota (failure U7).

What is refused are pods, after their workload was accepted: the layer waits for pods that never come, and nothing says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.pod_security import forbidden_by
from fluxstead.checks.objects.pods import Pod
from fluxstead.checks.objects.scaled import SCALED
from fluxstead.checks.reading.applied_tree import AppliedObject, labels_of
from fluxstead.checks.reading.charts import helm_identity
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.reading.values_from import values_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import entries_of, mapping

NO_AMOUNT = refuses(
    "admission/quota-demands",
    "U7",
    "ResourceQuota web/site counts limits.memory, and container site of Deployment web/site sets none",
)
NOT_ADMITTED = refuses(
    "admission/pod-security", "U7", "Deployment web/site is in a namespace of Pod Security baseline, and has hostNetwork: true"
)
QUOTA_TOO_SMALL = refuses("admission/quota-too-small", "U7", "ResourceQuota web/site has 2 pods, and what runs there asks for 3")

_ENFORCED = "pod-security.kubernetes.io/enforce"
_COUNTED = {
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}
"""What a quota counts of containers (kubernetes: pkg/quota/v1/evaluator/core/pods.go)."""
_SHOWN = 3


def pod_security(context: CheckContext) -> Iterator[Finding]:
    """The pods of a namespace, and of charts in it, against the standard that it enforces."""
    levels = {item.ref.name: level for item in context.tree.of("Namespace") if (level := _level(item))}
    if not levels:
        return
    for pod in context.pods:
        level = levels.get(pod.item.ref.namespace)
        if level is None or not pod.item.is_final or pod.item.document.generated or "${" in str(pod.template):
            continue
        found = list(forbidden_by(level, pod.template))
        if found:
            more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            yield _refused(context, pod.item, level, ", ".join(found[:_SHOWN]) + more)
    for item in context.tree.of("HelmRelease"):
        level = levels.get(helm_identity(item).namespace)
        needs = context.facts.chart(context.tree, item).on_the_host(values_of(context.tree, item).certain)
        if level is not None and needs and item.is_final:
            yield _refused(context, item, level, needs)


def _level(item: AppliedObject) -> str | None:
    """The standard that is enforced, where it keeps anything out."""
    level = labels_of(item).get(_ENFORCED)
    return level if item.is_final and level in ("baseline", "restricted") else None


def _refused(context: CheckContext, item: AppliedObject, level: str, what: str) -> Finding:
    return NOT_ADMITTED(
        line_with(context.tree.store, item.document, what.partition(":")[0].removeprefix("no ")),
        what=f"{item} is in a namespace of Pod Security {level}, and has {what}",
        why="the API server refuses its pods, and says so only in the events of what would create them",
        fix=f"what {level} asks for, or "
        + ("podSecurity: privileged of the chart" if _is_described(item) else f"{_ENFORCED}: privileged in the Namespace"),
    )


def _is_described(item: AppliedObject) -> bool:
    """Whether it is the chart of an application, whose namespace follows from its description."""
    return item.document.generated and item.ref.kind == "HelmRelease" and "/apps/" in item.document.path


def quotas(context: CheckContext) -> Iterator[Finding]:
    """Quotas that what runs in their namespace cannot keep to."""
    if context.tree.partial:
        return
    running: dict[str, list[Pod]] = defaultdict(list)
    limits: dict[str, list[AppliedObject]] = defaultdict(list)
    quotas = [item for item in context.tree.of("ResourceQuota") if _is_judged(context, item)]
    if not quotas:
        return
    for pod in context.pods:
        running[pod.item.ref.namespace].append(pod)
    for item in context.tree.of("LimitRange"):
        limits[item.ref.namespace].append(item)
    for quota in quotas:
        pods = [pod for pod in running[quota.ref.namespace] if pod.item.is_final and "${" not in str(pod.template)]
        asking = _Asking(pods, _defaults(limits[quota.ref.namespace]))
        for key, hard in mapping(quota.spec, "hard").items():
            yield from _missing(context, quota, key, asking)
            yield from _sum(context, quota, key, Quantity.read(str(hard)), asking)


class _Asking(NamedTuple):
    """What runs in a namespace, and what containers get there that ask for nothing."""

    pods: Sequence[Pod]
    defaults: Mapping[str, Mapping[str, Any]]

    def amounts(self, pod: Pod, key: str) -> Iterator[tuple[str, Quantity | None]]:
        """What each container of a pod asks for, of what the quota counts under this key."""
        kind, name = _COUNTED.get(key, ("", ""))
        spec = mapping(pod.template, "spec")
        if not kind or "resources" in spec:  # of the pod as a whole
            return
        for container in entries_of(spec, "containers"):
            resources = mapping(container, "resources")
            own = mapping(resources, kind).get(name)
            if own is None and kind == "requests":
                own = mapping(resources, "limits").get(name)
            found = own if own is not None else self.defaults[kind].get(name)
            yield str(container.get("name")), None if found is None else Quantity.read(str(found))


def _is_judged(context: CheckContext, item: AppliedObject) -> bool:
    whole = not item.spec.keys() & {"scopes", "scopeSelector"} and "${" not in str(item.spec)
    return item.is_final and not item.document.generated and whole and item.ref.namespace not in context.opaque_namespaces


def _defaults(ranges: list[AppliedObject]) -> Mapping[str, Mapping[str, Any]]:
    """What containers get that ask for nothing: requests and limits."""
    found: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
    for item in ranges:
        for one in entries_of(item.spec, "limits"):
            if one.get("type") == "Container":
                found["limits"].update(mapping(one, "default"))
                # Without a default of their own, requests are the default limits (kubernetes: pkg/apis/core/v1/defaults.go).
                found["requests"].update({**mapping(one, "default"), **mapping(one, "defaultRequest")})
    return found


def _missing(context: CheckContext, quota: AppliedObject, key: str, asking: _Asking) -> Iterator[Finding]:
    for pod in asking.pods:
        for container, amount in asking.amounts(pod, key):
            if amount is None:
                kind, name = _COUNTED[key]
                yield NO_AMOUNT(
                    line_with(context.tree.store, pod.item.document, container),
                    what=f"{quota.ref} counts {key}, and container {container} of {pod.item} sets none",
                    why="the API server refuses every pod of it",
                    fix=f"resources: {{{kind}: {{{name}: …}}}}, or a LimitRange with a default",
                )


def _sum(context: CheckContext, quota: AppliedObject, key: str, hard: Quantity | None, asking: _Asking) -> Iterator[Finding]:
    asked = Decimal(0)
    for pod in asking.pods:
        number = context.scaled.of(pod.item).fewest if pod.item.ref.kind in SCALED else 0
        each = Decimal(key in {"pods", "count/pods"})
        asked += number * (each + sum(amount.amount for _, amount in asking.amounts(pod, key) if amount))
    if hard is not None and asked > hard.amount:
        yield QUOTA_TOO_SMALL(
            line_with(context.tree.store, quota.document, f"{key}:"),
            what=f"{quota} has {key}: {hard}, and what runs there asks for {_shown(asked, hard)}",
            why="the API server refuses the last of its pods",
            fix=f"{key}: {_shown(asked, hard)} or more; twice as much leaves room for an update",
        )


def _shown(amount: Decimal, like: Quantity) -> str:
    """An amount in the unit of the quota."""
    factor = like.amount / like.number if like.number else Decimal(1)
    return f"{(amount / factor).normalize():f}{like.unit if like.number else ''}"


RULES = (
    Rule(pod_security, (NOT_ADMITTED,)),
    Rule(quotas, (NO_AMOUNT, QUOTA_TOO_SMALL)),
)
