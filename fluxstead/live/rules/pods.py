"""Pods that do not start, do not run, or run and are started again and again, each with why.

Sources: kubernetes/api core/v1/types.go (ContainerStatus, PodCondition); containerd/containerd, whose CRI plugin gives the reason
OOMKilled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from fluxstead.core.shape import entries_of, mapping
from fluxstead.live.events import EVENT, failures_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.moments import longer_ago, moment_of
from fluxstead.live.pods import PODS, trouble_of
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import LiveTrouble, Subject

_PATIENCE = timedelta(minutes=5)
_RECENT = timedelta(hours=1)
_OFTEN = 3
"""Starts again that are no single mishap, such as a machine that was started again."""


class StuckPod(NamedTuple):
    """A pod that does not run as it should. `says`: each reason, in Kubernetes' words.

    `silent`: whether it is starting, and says itself nothing of why it does not. `runs`: whether it is there all the same.
    """

    namespace: str
    name: str
    machine: str
    says: tuple[str, ...]
    claims: tuple[str, ...]
    silent: bool
    runs: bool


def _pod(obj: Mapping[str, Any]) -> StuckPod | None:
    metadata, spec, status = (mapping(obj, key) for key in ("metadata", "spec", "status"))
    namespace, name, now = str(metadata.get("namespace", "")), str(metadata.get("name", "")), datetime.now(UTC)
    label = f"Pod {namespace}/{name}"
    own = tuple(line.removeprefix(label).lstrip(", ") for line in trouble_of(obj))
    stuck = own or tuple(_silent(status, now))
    says = stuck or tuple(_restarts(status, now))
    if not says:
        return None
    claims = (mapping(one, "persistentVolumeClaim").get("claimName") for one in entries_of(spec, "volumes"))
    silent = not own and status.get("phase") == "Pending"
    return StuckPod(
        namespace, name, str(spec.get("nodeName", "")), says, tuple(str(claim) for claim in claims if claim), silent, not stuck
    )


def _silent(status: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """What a pod does not say itself: it failed, or it has been starting, or not ready, for longer than that takes."""
    phase = status.get("phase")
    if phase == "Failed":
        yield f"has failed: {status.get('message') or status.get('reason') or 'it ended with an error'}"
    elif phase == "Pending" and longer_ago(moment_of(status.get("startTime")), _PATIENCE, now):
        yield "does not start: its volumes are not attached, or its image is not there yet"
    elif phase == "Running":
        ready = next((one for one in entries_of(status, "conditions") if one.get("type") == "Ready"), {})
        if ready.get("status") == "False" and longer_ago(moment_of(ready.get("lastTransitionTime")), _PATIENCE, now):
            yield f"runs, and is not ready: {ready.get('message') or 'its probe does not succeed'}"


def _restarts(status: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Containers that run, ended in the last hour, and did so for their memory, or more than once an hour since the pod began."""
    began = moment_of(status.get("startTime"))
    for one in entries_of(status, "containerStatuses"):
        ended, count = mapping(mapping(one, "lastState"), "terminated"), one.get("restartCount")
        last = moment_of(ended.get("finishedAt"))
        if last is None or now - last > _RECENT or not isinstance(count, int):
            continue
        times = f"container {one.get('name')} was started again {count} times"
        if ended.get("reason") == "OOMKilled":
            yield f"{times}, the last time since it took more memory than its limit (OOMKilled)"
        elif count >= _OFTEN and began is not None and now - began < count * _RECENT:
            yield f"{times}, the last time after exit code {ended.get('exitCode')}"


POD = Kind(PODS, _pod)


def pods(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Pods that do not run, and those that do not run for long."""
    del expected
    failures = failures_of(facts)
    for one in facts.of(POD):
        failed = failures.get(("Pod", one.namespace, one.name)) if one.silent else None
        logs = f"kubectl -n {one.namespace} logs {one.name} --all-containers"
        yield LiveTrouble(
            Subject("pod", f"{one.namespace}/{one.name}"),
            f"does not start: {failed.says}" if failed else "; ".join(one.says),
            "what it serves breaks off each time" if one.runs else "what it serves is not there",
            f"{logs} --previous; more memory in its limits, if that is what it lacks"
            if one.runs
            else f"kubectl -n {one.namespace} describe pod {one.name}; {logs}",
            waits_for=(
                *((subject_of(one.machine),) if one.machine else ()),
                *(Subject("claim", f"{one.namespace}/{claim}") for claim in one.claims),
                Subject("secrets in", one.namespace),
            ),
            gravity="warning" if one.runs else "error",
            also=(pods_in(one.namespace),),
        )


def pods_in(namespace: str) -> Subject:
    """What explains whoever waits for pods there."""
    return Subject("pods in", namespace)


RULES = (LiveRule(pods, (POD, EVENT)),)
