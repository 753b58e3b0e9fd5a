"""`./run recover manager NODE`: Longhorn's manager of one machine, started anew while nothing is being rebuilt.

What it cures: a disk whose `longhorn-disk.cfg` was put right (failure F15), a Node that says what is not so any more. Attached
volumes stay so: their engines and replicas are processes of the instance manager, another pod. A rebuild is driven by the manager,
and begins anew without it (longhorn/longhorn-manager: controller/engine_controller.go, startRebuilding). What an Engine says:
k8s/pkg/apis/longhorn/v1beta2/engine.go, EngineStatus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, entries_of, mapping, named
from fluxstead.live.conditions import UNSAID, Condition, is_ready
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Procedure, Step, StepState, done, due, fails, waits
from fluxstead.live.resources import MACHINES
from fluxstead.systems.longhorn.live.node import NODE
from fluxstead.systems.longhorn.names import MANAGERS
from fluxstead.systems.longhorn.resources import ENGINES

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_BEFORE = "manager"
"""Noted when it begins: which pod was the manager."""
_NEW = "the manager of {} is a new one"
_PAGE = "docs/tasks/longhorn-disk-cfg.md"


def restart(api: LiveApi, machine: str) -> Procedure:
    """The procedure for one machine."""
    return Procedure(f"recover manager {machine}", partial(_begin, api, machine), partial(_steps, api, machine))


def _begin(api: LiveApi, machine: str) -> Mapping[str, str]:
    pod = _manager(api, machine)
    return {_BEFORE: _uid(pod)} if pod else {}


def _steps(api: LiveApi, machine: str, notes: Mapping[str, str]) -> Sequence[Step]:
    before = notes.get(_BEFORE, "")
    return (
        Step(
            _NEW.format(machine),
            "it reads its disks' files and the machine's state when it starts",
            "none is needed: its DaemonSet makes the next one, and volumes stay attached meanwhile",
            partial(_renewed, api, machine, before),
            partial(_delete, api, machine, before),
            patience=3600,
        ),
        Step(
            "it is ready",
            "until then Longhorn attaches, makes and rebuilds nothing there",
            "none is needed",
            partial(_ready, api, machine),
        ),
        Step(
            f"Longhorn uses {machine} and each of its disks",
            "that is what it was started anew for",
            "none is needed",
            partial(_in_use, api, machine),
            patience=180,
        ),
    )


def _manager(api: LiveApi, machine: str) -> Mapping[str, Any] | None:
    """The manager's pod; a new one rather than one that is going."""
    found = [one for one in api.list(PODS, labels=MANAGERS) if mapping(one, "spec").get("nodeName") == machine]
    return min(found, key=lambda one: bool(mapping(one, "metadata").get("deletionTimestamp")), default=None)


def _uid(pod: Mapping[str, Any]) -> str:
    return str(mapping(pod, "metadata").get("uid", ""))


def _label(pod: Mapping[str, Any]) -> str:
    metadata = mapping(pod, "metadata")
    return f"pod {metadata.get('namespace')}/{metadata.get('name')}"


def _renewed(api: LiveApi, machine: str, before: str) -> StepState:
    pod = _manager(api, machine)
    if not before:
        return done(f"there was none on {machine} when this began")
    if pod is None:
        return waits("the former one is gone, and the next one is not there yet")
    if _uid(pod) != before:
        return done(_label(pod))
    return waits(f"{_label(pod)} is ending") if mapping(pod, "metadata").get("deletionTimestamp") else _may_go(api, machine, pod)


def _may_go(api: LiveApi, machine: str, pod: Mapping[str, Any]) -> StepState:
    if not is_ready(api.get(MACHINES, machine) or {}):
        return fails(f"{machine} is not ready, so that nothing on it ends or starts", f"./run doctor --hosts {machine}")
    busy = list(_rebuilding(api))
    if busy:
        return waits(f"{busy[0]}{f', and {len(busy) - 1} more' if len(busy) > 1 else ''}: it would begin anew")
    return due(f"delete {_label(pod)}")


def _rebuilding(api: LiveApi) -> Iterator[str]:
    """The volumes whose engines the manager is busy with, a line each."""
    for engine in api.list(ENGINES):
        volume, status = at(engine, ("spec", "volumeName")), mapping(engine, "status")
        rebuilt = [one for one in mapping(status, "rebuildStatus").values() if _is(one, "isRebuilding")]
        if rebuilt or "WO" in mapping(status, "replicaModeMap").values():
            progress = f" ({rebuilt[0].get('progress', 0)} %)" if rebuilt else ""
            yield f"volume {volume} is being rebuilt{progress}"
        elif any(_is(one, "isRestoring") for one in mapping(status, "restoreStatus").values()):
            yield f"volume {volume} is being restored"


def _is(status: object, key: str) -> bool:
    return isinstance(status, Mapping) and status.get(key) is True


def _delete(api: LiveApi, machine: str, before: str) -> None:
    pod = _manager(api, machine)
    if pod and _uid(pod) == before:
        metadata = mapping(pod, "metadata")
        api.delete(PODS, str(metadata["name"]), str(metadata["namespace"]), uid=before)


def _ready(api: LiveApi, machine: str) -> StepState:
    pod = _manager(api, machine)
    if pod is None:
        known = sorted({str(mapping(one, "spec").get("nodeName")) for one in api.list(PODS, labels=MANAGERS)})
        return waits(f"no manager is on {machine}; there are some on {', '.join(known) or 'no machine'}")
    if is_ready(pod):
        return done()
    states = [mapping(one, "state") for one in entries_of(mapping(pod, "status"), "containerStatuses")]
    reasons = [str(mapping(one, "waiting").get("reason", "")) for one in states]
    return waits(" ".join(filter(None, (_label(pod), "is not ready", *reasons))))


def _in_use(api: LiveApi, machine: str) -> StepState:
    node = next((NODE.read(one) for one in api.list(NODE.resource) if named(one).name == machine), None)
    if node is None:
        return waits(f"Longhorn has no Node {machine}")
    if not _said(node.conditions):
        return waits(node.conditions.get("Ready", UNSAID).says or "its Node is not ready")
    lacking = [f"{disk.name} has no UUID yet" for disk in node.disks if not disk.uuid]
    lacking += [
        f"{disk.name} is not ready: {disk.conditions.get('Ready', UNSAID).says}"
        for disk in node.disks
        if disk.uuid and not _said(disk.conditions)
    ]
    if lacking:
        return waits("; ".join(lacking), _PAGE)
    return done(f"{len(node.disks)} disks, each with its UUID")


def _said(conditions: Mapping[str, Condition]) -> bool:
    return conditions.get("Ready", UNSAID).status == "True"


CURES: Mapping[str, Callable[[LiveApi, str], Procedure]] = {"manager": restart}
"""By the word after `./run recover`, with the name of a machine."""
