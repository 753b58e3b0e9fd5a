"""Volumes without a good copy, with fewer than they should have, or for which no machine takes one (failure F18).

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/volume.go: states, conditions and reasons;
controller/volume_controller.go: ReconcileEngineReplicaState sets the robustness, reconcileVolumeCondition `Scheduled`,
closeVolumeDependentResources `Restore`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fluxstead.live.conditions import UNSAID
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import Gravity, LiveTrouble, Subject
from fluxstead.systems.longhorn.live.node import NODE, below, disks_of, manager_of, room_on
from fluxstead.systems.longhorn.live.since import lasts
from fluxstead.systems.longhorn.live.target import TARGET, targets
from fluxstead.systems.longhorn.live.volume import ENGINE, VOLUME, LiveVolume, engines_of, volume_subject


class _Under(NamedTuple):
    """What may explain the trouble of any volume, put together once: a rolling restart degrades thousands of them."""

    machines: tuple[Subject, ...]
    disks: tuple[Subject, ...]
    managers: tuple[Subject, ...]
    room: tuple[Subject, ...]
    targets: tuple[Subject, ...]


def _under(facts: ClusterFacts) -> _Under:
    names = [node.name for node in facts.of(NODE)]
    return _Under(
        below(facts),
        tuple(map(disks_of, names)),
        tuple(map(manager_of, names)),
        tuple(map(room_on, names)),
        targets(facts),
    )


def volumes(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Each volume whose copies are not as they should be."""
    del expected
    engines, under = engines_of(facts), _under(facts)
    for one in facts.of(VOLUME):
        if one.robustness == "faulted":
            yield _faulted(one, under)
        elif one.robustness == "degraded" and not one.restoring:
            engine = engines.get(one.name)
            yield _degraded(one, under, engine.rebuilt if engine else -1)
        elif one.state == "detached" and _unplaced(one):
            yield _nowhere(one, under, "error" if lasts(facts, one.unplaced_since) else "warning")


def counted(expected: Expected, facts: ClusterFacts) -> str:
    """How many volumes there are, and how many of them lack copies."""
    del expected
    said = [one.robustness for one in facts.of(VOLUME)]
    short = "".join(f", {said.count(word)} {word}" for word in ("degraded", "faulted") if word in said)
    return f"volumes {len(said)}{short}" if facts.knows(VOLUME) else ""


def _unplaced(one: LiveVolume) -> str:
    """Why no place was found for a copy; empty where all are placed."""
    status, reason, says = one.conditions.get("Scheduled", UNSAID)
    return (says or reason or "Longhorn says no reason") if status == "False" else ""


def _faulted(one: LiveVolume, under: _Under) -> LiveTrouble:
    _, reason, says = one.conditions.get("Restore", UNSAID)
    if reason == "RestoreFailure":
        return LiveTrouble(
            volume_subject(one.name),
            f"could not be restored{one.what}: {says}",
            "it has no data, and what uses it does not start",
            f"the backup target first; kubectl -n {one.namespace} describe engines.longhorn.io -l longhornvolume={one.name}; then "
            "restore the same backup into another volume",
            waits_for=(*under.machines, *under.targets),
            also=one.of_claim,
        )
    return LiveTrouble(
        volume_subject(one.name),
        f"is faulted{one.what}: no copy of it can be used",
        "what uses it stands still, and its data is in danger",
        f"the machines of its copies first; kubectl -n {one.namespace} describe volumes.longhorn.io {one.name}",
        waits_for=under.machines,
        also=one.of_claim,
    )


def _degraded(one: LiveVolume, under: _Under, rebuilt: int) -> LiveTrouble:
    unplaced, kubectl = _unplaced(one), f"kubectl -n {one.namespace}"
    cause = under.machines + under.disks
    if rebuilt >= 0:
        says = f"is degraded{one.what}: a copy of it is being made, {rebuilt} % is there"
        do = "nothing, while it is made: ./run doctor --watch"
    elif unplaced:
        says = f"is degraded{one.what}, and no machine takes another copy of it: {unplaced}"
        do = f"a disk with room, on a machine without a copy of it; {kubectl} get replicas.longhorn.io -l longhornvolume={one.name}"
        cause += under.room
    else:
        says = f"is degraded{one.what}: it has fewer copies than it should have"
        do = "nothing, while it is rebuilt; else a disk with room, on a machine without a copy of it"
    means = "one more loss, and its data may be gone"
    return LiveTrouble(volume_subject(one.name), says, means, do, waits_for=cause, gravity="warning")


def _nowhere(one: LiveVolume, under: _Under, gravity: Gravity) -> LiveTrouble:
    return LiveTrouble(
        volume_subject(one.name),
        f"cannot be used{one.what}: no machine takes a copy of it: {_unplaced(one)}",
        "what uses it does not start",
        f"disks with room and with its tags: kubectl -n {one.namespace} describe volumes.longhorn.io {one.name}",
        waits_for=(*under.machines, *under.disks, *under.managers, *under.room),
        gravity=gravity,
        also=one.of_claim,
    )


RULES = (LiveRule(volumes, (VOLUME, NODE, ENGINE, TARGET)),)
