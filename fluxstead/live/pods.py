"""Which pods do not run, and why: what most failed releases come down to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import entries_of, mapping
from fluxstead.live.resources import Resource

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

PODS = Resource("api/v1", "pods")
_SHOWN = 5
_LONGEST = 200


def pods_in_trouble(api: LiveApi, namespaces: Iterable[str]) -> list[str]:
    """A line for each, the first few. Raises Unanswered."""
    found = [line for namespace in namespaces for pod in api.list(PODS, namespace) for line in trouble_of(pod)]
    return [*found[:_SHOWN], *([f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else [])]


def trouble_of(pod: Mapping[str, Any]) -> Iterator[str]:
    """Why a pod does not run; nothing of one that does, or that has ended well."""
    metadata, status = mapping(pod, "metadata"), mapping(pod, "status")
    if status.get("phase") == "Succeeded":
        return
    label = f"Pod {metadata.get('namespace')}/{metadata.get('name')}"
    for one in entries_of(status, "conditions"):
        if one.get("type") == "PodScheduled" and one.get("status") == "False":
            yield f"{label} is on no machine: {_short(one.get('message'))}"
    for container in (*entries_of(status, "initContainerStatuses"), *entries_of(status, "containerStatuses")):
        state, last = mapping(container, "state"), mapping(container, "lastState")
        waiting = mapping(state, "waiting")
        if waiting.get("reason") and str(waiting["reason"]) not in {"ContainerCreating", "PodInitializing"}:
            ended = mapping(last, "terminated")
            why = waiting.get("message") or (f"exit code {ended['exitCode']}" if "exitCode" in ended else "")
            why = f"OOMKilled, it took more memory than its limit: {why}" if ended.get("reason") == "OOMKilled" else why
            yield f"{label}, container {container.get('name')}: {waiting['reason']}: {_short(why)}"


def _short(text: object) -> str:
    return " ".join(str(text or "").split())[:_LONGEST]
