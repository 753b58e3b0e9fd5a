"""How many pods a workload has: its own number, or the bounds of what scales it."""

from __future__ import annotations

from typing import NamedTuple

from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.core.shape import mapping

_BOUNDS = {
    "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "ScaledObject": ("minReplicaCount", "maxReplicaCount"),
}
"""What scales workloads, and where its bounds are. Both name a Deployment where they name no kind."""


SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet"})
"""The kinds that have a number of pods."""


class PodCount(NamedTuple):
    """The fewest and the most pods, and what decides between them."""

    fewest: int
    most: int
    scaler: AppliedObject | None = None


class Scaled:
    """Read once from a tree, so that each question is one lookup."""

    def __init__(self, tree: AppliedTree) -> None:
        self._scalers: dict[tuple[str, str, str], AppliedObject] = {}
        for item in tree.of(*_BOUNDS):
            target = mapping(item.spec, "scaleTargetRef")
            if item.is_final and "${" not in str(item.spec):
                key = item.ref.namespace, str(target.get("kind", "Deployment")), str(target.get("name"))
                self._scalers[key] = item

    def of(self, workload: AppliedObject) -> PodCount:
        """The pods of a Deployment, a StatefulSet or a ReplicaSet."""
        scaler = self._scalers.get((workload.ref.namespace, workload.ref.kind, workload.ref.name))
        own = _number(workload.spec.get("replicas"), 1)
        if scaler is None:
            return PodCount(own, own)
        least, most = _BOUNDS[scaler.ref.kind]
        return PodCount(_number(scaler.spec.get(least), 1), _number(scaler.spec.get(most), own), scaler)


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
