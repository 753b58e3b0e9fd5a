"""The rules for an application in one environment: its image's tag, its pods and what may stop them, its route."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, counted
from fluxstead.systems.applications.instance import Instance
from fluxstead.systems.applications.settings import DisruptionBudget

AUTOSCALING_RANGE = refuses("applications/autoscaling-range", "U7", "minReplicas 5 is above maxReplicas 3", "the description")
AUTOSCALING_WITHOUT_METRICS = refuses(
    "applications/autoscaling-without-metrics",
    "U9",
    "`web-prod` scales by CPU, and metrics-server is switched off",
    "the description",
)
AUTOSCALING_WITHOUT_REQUEST = refuses(
    "applications/autoscaling-without-request", "U9", "`web-prod` scales by CPU and requests none", "the description"
)
BAD_TAG = refuses("applications/bad-tag", "F4", "'1 2' is not a tag", "the description")
BAD_BUDGET = refuses(
    "applications/budget",
    "U7",
    "the budget of `web-prod` has to set exactly one of minAvailable and maxUnavailable",
    "the description",
)
BUDGET_BLOCKS_DRAINS = refuses(
    "applications/budget-blocks-drains",
    "F18",
    "the budget of `web-prod` allows none of its 2 pods to be evicted",
    "the description",
)
BUDGET_OF_ONE = warns("applications/budget-of-one", "F18", "`web-prod` has a budget and 1 pod", "the description")
MOVING_TAG = warns("applications/moving-tag", "F23", "the tag edge of `web-prod` sounds like one that moves", "the description")
MUTABLE_TAG = refuses("applications/mutable-tag", "F23", "`web-prod` runs the tag latest", "the description")
ROUTE_WITHOUT_PORT = refuses(
    "applications/route-without-port", "F21", "`web-prod` has a route, and `web` listens on no port", "the description"
)
SHARED_VOLUME = refuses("applications/shared-volume", "F1", "`web-prod` has a volume and up to 2 pods", "the description")
TWO_SIZES = refuses("applications/two-sizes", "U9", "`web-prod` has both replicas and autoscaling", "the description")
CHECKS = (
    AUTOSCALING_RANGE,
    AUTOSCALING_WITHOUT_METRICS,
    AUTOSCALING_WITHOUT_REQUEST,
    BAD_TAG,
    BAD_BUDGET,
    BUDGET_BLOCKS_DRAINS,
    BUDGET_OF_ONE,
    MOVING_TAG,
    MUTABLE_TAG,
    ROUTE_WITHOUT_PORT,
    SHARED_VOLUME,
    TWO_SIZES,
)

# https://github.com/opencontainers/distribution-spec: pull; a digest behind the tag is what runs.
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?P<digest>@sha256:[0-9a-f]{64})?")
_MOVING = frozenset({"main", "master", "develop", "dev", "edge", "nightly", "stable", "staging", "prod", "production", "release"})


def findings_of(instance: Instance, *, metrics: bool) -> Iterator[Finding]:
    """What is wrong with one environment of an application."""
    if instance.app.chart is None:
        yield from _tag(instance)
        yield from _replicas(instance)
        yield from _autoscaling(instance, metrics=metrics)
        yield from _budget(instance)
    yield from _route(instance)


def _tag(instance: Instance) -> Iterator[Finding]:
    tag, source = instance.environment.tag, instance.environment.source_of("tag")
    match = _TAG.fullmatch(tag)
    if tag in {"", "latest"}:
        yield MUTABLE_TAG(
            source,
            what=f"`{instance.name}` runs {'an image without a tag' if not tag else 'the tag latest'}",
            why="what runs would change unasked at the next restart, with no way back (F23)",
            fix="tag: with a version, such as '1.2.3'",
        )
    elif match is None:
        yield BAD_TAG(
            source,
            what=f"{tag!r} is not a tag",
            why="no registry has an image of that name",
            fix=_right_tag(tag),
        )
    elif tag in _MOVING:
        yield MOVING_TAG(
            source,
            what=f"the tag {tag} of `{instance.name}` sounds like one that moves",
            why="Kubernetes keeps the image it has pulled, so nodes may run different images under one tag (F23)",
            fix="tag: with a version, or the tag with its digest",
        )


def _right_tag(tag: str) -> str:
    """What was meant."""
    name, _, digest = tag.rpartition("@")
    if digest.startswith("sha256:") and not name:
        return f"the tag that it has, before its digest: 1.2.3@{digest}"
    if name:
        return f"the whole digest behind {name}: '@sha256:' and 64 digits from 0 to f"
    return "at most 128 letters, digits, '.', '_' and '-'"


def _replicas(instance: Instance) -> Iterator[Finding]:
    environment = instance.environment
    if environment.autoscaling and environment.replicas is not None:
        yield TWO_SIZES(
            environment.source_of("replicas"),
            what=f"`{instance.name}` has both replicas and autoscaling",
            why="Flux and the autoscaler would keep changing each other's number of pods",
            fix="autoscaling alone; minReplicas is where it starts",
        )
    alone = [one for one in instance.volumes if not one.volume.shared]
    if alone and instance.most > 1:
        key = "autoscaling" if environment.autoscaling else "replicas"
        yield SHARED_VOLUME(
            environment.source_of(key),
            what=f"`{instance.name}` has a volume and up to {instance.most} pods",
            why="the volume is on one node at a time, and pods on another would never start",
            fix="replicas: 1 without autoscaling, or accessMode: ReadWriteMany on each volume",
        )


def _autoscaling(instance: Instance, *, metrics: bool) -> Iterator[Finding]:
    scaling, resources = instance.environment.autoscaling, instance.resources
    if scaling is None:
        return
    if scaling.min_replicas > scaling.max_replicas:
        yield AUTOSCALING_RANGE(
            scaling.source_of("minReplicas"),
            what=f"minReplicas {scaling.min_replicas} is above maxReplicas {scaling.max_replicas}",
            why="the API server refuses the HorizontalPodAutoscaler",
            fix=f"minReplicas: {scaling.max_replicas} or less",
        )
    if resources.requests.cpu is None and resources.limits.cpu is None:
        yield AUTOSCALING_WITHOUT_REQUEST(
            scaling.source,
            what=f"`{instance.name}` scales by CPU and requests none",
            why="usage is measured in percent of the request, so the autoscaler would never act",
            fix="resources: {requests: {cpu: …}}",
        )
    if not metrics:
        yield AUTOSCALING_WITHOUT_METRICS(
            scaling.source,
            what=f"`{instance.name}` scales by CPU, and metrics-server is switched off",
            why="nothing would tell the autoscaler how busy the pods are",
            fix="replicas in place of autoscaling, or kubernetes.disable without metrics-server",
        )


def _budget(instance: Instance) -> Iterator[Finding]:
    budget, fewest = instance.environment.disruption_budget, instance.fewest
    if budget is None:
        return
    if (budget.min_available is None) == (budget.max_unavailable is None):
        yield BAD_BUDGET(
            budget.source,
            what=f"the budget of `{instance.name}` has to set exactly one of minAvailable and maxUnavailable",
            why="the API server refuses both together, and a budget with neither protects nothing",
            fix="maxUnavailable: 1",
        )
    elif fewest and _evictable(budget, fewest) < 1:
        yield BUDGET_BLOCKS_DRAINS(
            budget.source,
            what=f"the budget of `{instance.name}` allows none of its {counted(fewest, 'pod')} to be evicted",
            why="a node that runs one can never be drained, and so never upgraded",
            fix="maxUnavailable: 1, with 2 replicas or more" if fewest < 2 else "maxUnavailable: 1",  # noqa: PLR2004
        )
    elif fewest < 2:  # noqa: PLR2004
        yield BUDGET_OF_ONE(
            budget.source,
            what=f"`{instance.name}` has a budget and {counted(fewest, 'pod')}",
            why="a drain stops the only pod anyway",
            fix="2 replicas or more, or no budget",
        )


def _evictable(budget: DisruptionBudget, pods: int) -> int:
    """How many of `pods` a drain may evict. Shares are rounded up (Kubernetes: pkg/controller/disruption/disruption.go)."""
    if budget.min_available is not None:
        return pods - _share(budget.min_available, pods)
    return _share(budget.max_unavailable or 0, pods)


def _share(value: int | str, pods: int) -> int:
    return value if isinstance(value, int) else math.ceil(int(value.rstrip("%")) * pods / 100)


def _route(instance: Instance) -> Iterator[Finding]:
    route = instance.environment.route
    if route is None:
        return
    if instance.app.port is None:
        yield ROUTE_WITHOUT_PORT(
            route.source,
            what=f"`{instance.name}` has a route, and `{instance.app.name}` listens on no port",
            why="there is nothing to send requests to",
            fix=f"port: of application `{instance.app.name}`",
        )
