"""Pods that are never made: what should make them is refused, by a quota, by Pod Security, or for a ServiceAccount.

Sources: kubernetes/kubernetes pkg/controller/controller_utils.go, which says FailedCreate of a StatefulSet, DaemonSet or Job; of a
ReplicaSet its Deployment says it as well (kubernetes/api apps/v1/types.go: ReplicaFailure, also of pods that cannot be deleted).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from fluxstead.core.shape import entries_of, mapping
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.events import EVENT, failures_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.flux import keeper_of
from fluxstead.live.moments import longer_ago, moment_of
from fluxstead.live.resources import DAEMON_SETS, DEPLOYMENTS, JOBS, STATEFUL_SETS
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import LiveTrouble, Subject, pods_in

_PATIENCE = timedelta(minutes=2)
"""Something may be applied a moment before the account or the quota that it needs."""
_MEANS = {"Job": "what it does is not done"}
_Json = Mapping[str, Any]


class Workload(NamedTuple):
    """What makes pods. `lacks`: whether it made fewer than it should. `says`: why, where it says so itself, `since` when.

    `keeper`: the Kustomization that applies it, as `namespace/name`; empty where none does. `images`: by container, as described.
    `behind`: of a DaemonSet, how many of how many pods are of a former template; none of none until that is known.
    """

    kind: str
    namespace: str
    name: str
    lacks: bool
    says: str
    since: datetime | None
    keeper: str
    images: tuple[tuple[str, str], ...]
    behind: tuple[int, int]


def _workload(kind: str, lacks: Callable[[_Json, _Json], bool], obj: _Json) -> Workload:
    metadata, spec, status = (mapping(obj, key) for key in ("metadata", "spec", "status"))
    failure = conditions_of(status).get("ReplicaFailure", UNSAID)
    refused = next((one for one in entries_of(status, "conditions") if one.get("type") == "ReplicaFailure"), {})
    return Workload(
        kind,
        str(metadata.get("namespace", "")),
        str(metadata.get("name", "")),
        lacks(spec, status),
        failure.says if (failure.status, failure.reason) == ("True", "FailedCreate") else "",
        moment_of(refused.get("lastTransitionTime")),
        keeper_of(metadata),
        _images(spec),
        _behind(metadata, status),
    )


def _images(spec: _Json) -> tuple[tuple[str, str], ...]:
    containers = entries_of(mapping(mapping(spec, "template"), "spec"), "containers")
    return tuple((str(one.get("name", "")), str(one.get("image", ""))) for one in containers)


def _behind(metadata: _Json, status: _Json) -> tuple[int, int]:
    if status.get("observedGeneration") != metadata.get("generation"):
        return 0, 0
    wanted = _number(status, "desiredNumberScheduled")
    return max(wanted - _number(status, "updatedNumberScheduled"), 0), wanted


def _replicas(spec: _Json, status: _Json) -> bool:
    return _number(status, "replicas") < _number(spec, "replicas", 1)


def _on_machines(spec: _Json, status: _Json) -> bool:
    del spec
    return _number(status, "currentNumberScheduled") < _number(status, "desiredNumberScheduled")


def _job(spec: _Json, status: _Json) -> bool:
    began = any(_number(status, key) for key in ("active", "succeeded", "failed"))
    return not began and not status.get("completionTime") and spec.get("suspend") is not True


def _number(data: _Json, key: str, default: int = 0) -> int:
    found = data.get(key, default)
    return found if isinstance(found, int) else default


DEPLOYMENT = Kind(DEPLOYMENTS, partial(_workload, "Deployment", _replicas))
STATEFUL_SET = Kind(STATEFUL_SETS, partial(_workload, "StatefulSet", _replicas))
DAEMON_SET = Kind(DAEMON_SETS, partial(_workload, "DaemonSet", _on_machines))
JOB = Kind(JOBS, partial(_workload, "Job", _job))
WORKLOADS = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB)


def missing_pods(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """What lacks pods that somebody refuses; while they are only not there yet, nothing is wrong."""
    del expected
    failures = failures_of(facts)
    for one in (one for kind in WORKLOADS for one in facts.of(kind) if one.lacks):
        failed = failures.get(one[:3])
        says, since = (failed.says, failed.since) if failed else (one.says, one.since)
        if not says or not longer_ago(since, _PATIENCE, facts.taken):
            continue
        yield LiveTrouble(
            Subject(one.kind, f"{one.namespace}/{one.name}"),
            f"makes no pods: {says}",
            _MEANS.get(one.kind, "what it serves is not there, or by fewer pods than described"),
            f"kubectl -n {one.namespace} describe {one.kind.lower()} {one.name}; its quota, its account, its securityContext",
            also=(pods_in(one.namespace),),
        )


RULES = (LiveRule(missing_pods, (*WORKLOADS, EVENT)),)
