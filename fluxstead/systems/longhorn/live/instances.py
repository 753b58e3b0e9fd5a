"""Instance managers, which run the engines and the copies of a machine (failure F9).

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/instancemanager.go: states;
controller/instance_manager_controller.go, which sets them, and keeps one of a former image while it runs engines or copies;
types/setting.go: default-instance-manager-image.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping, named
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import LiveTrouble, Subject, pods_in
from fluxstead.systems.longhorn.live.kinds import SETTING, shown, value_of
from fluxstead.systems.longhorn.live.node import manager_of
from fluxstead.systems.longhorn.names import API

_DEFAULT = "default-instance-manager-image"


class LiveInstances(NamedTuple):
    """What runs the engines and copies of a machine. `runs`: how many."""

    namespace: str
    machine: str
    image: str
    state: str
    runs: int


def _instances(obj: Mapping[str, Any]) -> LiveInstances:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    return LiveInstances(
        named(obj).namespace,
        str(spec.get("nodeID", "")),
        str(spec.get("image", "")),
        str(status.get("currentState", "")),
        sum(len(mapping(status, key)) for key in ("instanceEngines", "instanceReplicas", "instances")),
    )


INSTANCES = Kind(Resource(API, "instancemanagers"), _instances)


def instances(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Instance managers that do not answer, and those of a former release that volumes still run in."""
    del expected
    default, former = value_of(facts, _DEFAULT), defaultdict[str, list[LiveInstances]](list)
    for one in facts.of(INSTANCES):
        if one.state in {"error", "unknown"} and (one.runs or one.image == default):
            yield _silent(one)
        elif default and one.image != default and one.runs:
            former[one.image].append(one)
    for image, of in sorted(former.items()):
        yield LiveTrouble(
            Subject("instance manager", image),
            f"still runs volumes on {shown(sorted({one.machine for one in of}))}; {default} is the one of this Longhorn",
            "volumes stay in it until they are attached anew, and beside the new one it sets aside processors a second time (F9)",
            "restart what uses the volumes there, one after another: kubectl rollout restart; or drain one machine after the other",
            waits_for=tuple(_instances_of(one.machine) for one in of),
            gravity="warning",
        )


def _instances_of(machine: str) -> Subject:
    return Subject("instance manager of", machine)


def _silent(one: LiveInstances) -> LiveTrouble:
    """Of which nothing says since when; Longhorn starts it anew, and where it cannot, its pod says why."""
    return LiveTrouble(
        _instances_of(one.machine),
        f"is in the state {one.state}",
        "volumes are not attached there, and its copies are missing to theirs",
        f"kubectl -n {one.namespace} get pods -l longhorn.io/component=instance-manager -o wide",
        waits_for=(subject_of(one.machine), manager_of(one.machine), pods_in(one.namespace)),
        gravity="warning",
    )


RULES = (LiveRule(instances, (INSTANCES, SETTING)),)
