"""Pods that do not start, do not run, or run and are started again and again, each with why.

Sources: kubernetes/api core/v1/types.go (ContainerStatus, PodCondition); containerd/containerd, whose CRI plugin gives the reason
OOMKilled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fluxstead.core.shape import entries_of, mapping, named
from fluxstead.live.events import EVENT, failures_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.moments import longer_ago, moment_of
from fluxstead.live.pods import PODS, trouble_of
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import LiveTrouble, Subject, pods_in

_PATIENCE = timedelta(minutes=5)
_RECENT = timedelta(hours=1)
_OFTEN = 3
"""Starts again that are no single mishap, such as a machine that was started again."""


class Quiet(NamedTuple):
    """What a pod does not say itself, and is a trouble where it lasts: since when it has been so."""

    says: str
    since: datetime | None


class Restarted(NamedTuple):
    """A container that runs again: how often it was started again, and when and how it ended last."""

    name: str
    times: int
    ended: datetime
    reason: str
    exit_code: str


class StuckPod(NamedTuple):
    """A pod that does not run as it should, or may not. `says`: each reason, in Kubernetes' words. `starting`: it runs not yet."""

    namespace: str
    name: str
    machine: str
    claims: tuple[str, ...]
    starting: bool
    began: datetime | None
    says: tuple[str, ...]
    quiet: Quiet | None
    restarted: tuple[Restarted, ...]


def _pod(obj: Mapping[str, Any]) -> StuckPod | None:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    place = named(obj)
    label = f"Pod {place.namespace}/{place.name}"
    says = tuple(line.removeprefix(label).lstrip(", ") for line in trouble_of(obj)) or tuple(_failed(status))
    quiet, restarted = _quiet(status), tuple(_restarted(status))
    if not says and quiet is None and not restarted:
        return None
    claims = (mapping(one, "persistentVolumeClaim").get("claimName") for one in entries_of(spec, "volumes"))
    return StuckPod(
        place.namespace,
        place.name,
        str(spec.get("nodeName", "")),
        tuple(str(claim) for claim in claims if claim),
        status.get("phase") == "Pending",
        moment_of(status.get("startTime")),
        says,
        quiet,
        restarted,
    )


def _failed(status: Mapping[str, Any]) -> Iterator[str]:
    if status.get("phase") == "Failed":
        yield f"has failed: {status.get('message') or status.get('reason') or 'it ended with an error'}"


def _quiet(status: Mapping[str, Any]) -> Quiet | None:
    phase = status.get("phase")
    if phase == "Pending":
        says = "does not start: its volumes are not attached, or its image is not there yet"
        return Quiet(says, moment_of(status.get("startTime")))
    ready = next((one for one in entries_of(status, "conditions") if one.get("type") == "Ready"), {})
    if phase == "Running" and ready.get("status") == "False":
        says = f"runs, and is not ready: {ready.get('message') or 'its probe does not succeed'}"
        return Quiet(says, moment_of(ready.get("lastTransitionTime")))
    return None


def _restarted(status: Mapping[str, Any]) -> Iterator[Restarted]:
    for one in entries_of(status, "containerStatuses"):
        ended, times = mapping(mapping(one, "lastState"), "terminated"), one.get("restartCount")
        last = moment_of(ended.get("finishedAt"))
        if last is not None and isinstance(times, int):
            yield Restarted(str(one.get("name")), times, last, str(ended.get("reason")), str(ended.get("exitCode")))


def _breaks_off(pod: StuckPod, now: datetime) -> Iterator[str]:
    """Containers that ended in the last hour, and did so for their memory, or more than once an hour since the pod began."""
    for one in pod.restarted:
        if now - one.ended > _RECENT:
            continue
        times = f"container {one.name} was started again {one.times} times"
        if one.reason == "OOMKilled":
            yield f"{times}, the last time since it took more memory than its limit (OOMKilled)"
        elif one.times >= _OFTEN and pod.began is not None and now - pod.began < one.times * _RECENT:
            yield f"{times}, the last time after exit code {one.exit_code}"


POD = Kind(PODS, _pod)


def pods(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Pods that do not run, and those that do not run for long."""
    del expected
    failures = failures_of(facts)
    for one in facts.of(POD):
        lasting = one.quiet is not None and longer_ago(one.quiet.since, _PATIENCE, facts.taken)
        stuck = one.says or ((one.quiet.says,) if one.quiet and lasting else ())
        failed = failures.get(("Pod", one.namespace, one.name)) if one.starting and not one.says and stuck else None
        breaks_off = () if stuck else tuple(_breaks_off(one, facts.taken))
        if stuck or breaks_off:
            says = f"does not start: {failed.says}" if failed else "; ".join(stuck or breaks_off)
            yield _told(one, says, runs=not stuck)


def _told(one: StuckPod, says: str, *, runs: bool) -> LiveTrouble:
    logs = f"kubectl -n {one.namespace} logs {one.name} --all-containers"
    return LiveTrouble(
        Subject("pod", f"{one.namespace}/{one.name}"),
        says,
        "what it serves breaks off each time" if runs else "what it serves is not there",
        f"{logs} --previous; more memory in its limits, if that is what it lacks"
        if runs
        else f"kubectl -n {one.namespace} describe pod {one.name}; {logs}",
        waits_for=(
            *((subject_of(one.machine),) if one.machine else ()),
            *(Subject("claim", f"{one.namespace}/{claim}") for claim in one.claims),
            Subject("secrets in", one.namespace),
        ),
        gravity="warning" if runs else "error",
        also=(pods_in(one.namespace),),
    )


RULES = (LiveRule(pods, (POD, EVENT)),)
