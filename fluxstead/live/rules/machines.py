"""Machines, as Kubernetes sees them: not there, not ready, under pressure, or otherwise than described (failures F10, F19)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import entries_of, mapping
from fluxstead.core.version import Version
from fluxstead.live.conditions import UNSAID, Condition, conditions_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import MACHINES
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import LiveTrouble, Subject, clock_of, layer_subject, reach_of
from fluxstead.live.verify.place import CORDONED
from fluxstead.nodes.model import Node

_PRESSURES = {
    "MemoryPressure": ("is short of memory", "kubectl top pods -A --sort-by=memory; limits of what takes it"),
    "DiskPressure": (
        "is short of disk space, on the disk of its system",
        "./run doctor --hosts; journalctl --disk-usage; k3s crictl rmi --prune",
    ),
    "PIDPressure": ("is short of process ids", "kubectl top pods -A; what starts so many of them"),
}


class Machine(NamedTuple):
    """A Node. `conditions`: by type."""

    name: str
    labels: Mapping[str, str]
    taints: frozenset[tuple[str, str, str]]
    unschedulable: bool
    conditions: Mapping[str, Condition]
    version: str
    cordoned_by: str = ""

    @property
    def ready(self) -> bool:
        """Whether its kubelet says that it is."""
        return self.conditions.get("Ready", UNSAID).status == "True"


def _machine(obj: Mapping[str, Any]) -> Machine:
    metadata, spec, status = (mapping(obj, key) for key in ("metadata", "spec", "status"))
    return Machine(
        str(metadata.get("name", "")),
        {str(key): str(value) for key, value in mapping(metadata, "labels").items()},
        frozenset((str(one.get("key")), str(one.get("value") or ""), str(one.get("effect"))) for one in entries_of(spec, "taints")),
        spec.get("unschedulable") is True,
        conditions_of(status),
        str(mapping(status, "nodeInfo").get("kubeletVersion", "")),
        str(mapping(metadata, "annotations").get(CORDONED, "")),
    )


MACHINE = Kind(MACHINES, _machine)


def subject_of(name: str) -> Subject:
    """A machine, as it is named everywhere."""
    return Subject("machine", name)


def machines(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Each that is described, and those that nobody described."""
    if not facts.knows(MACHINE):
        return
    known = {one.name: one for one in facts.of(MACHINE)}
    for node in expected.nodes:
        one = known.pop(node.name, None)
        if one is None:
            if node.state == "live":
                yield _absent(node)
        else:
            yield from _of_machine(expected, node, one)
    for one in known.values():
        yield LiveTrouble(
            subject_of(one.name),
            "is in the cluster, and in no file of nodes/",
            "nobody prepares it, and its disks and labels are whatever they are",
            f"nodes/{one.name}.yaml (./run hosts discover USER@HOST); or, if it is gone for good, kubectl delete node {one.name}",
            "docs/tasks/add-a-machine.md",
            gravity="warning",
        )


def _absent(node: Node) -> LiveTrouble:
    return LiveTrouble(
        subject_of(node.name),
        "is described as live, and not in the cluster",
        "nothing runs there, and its disks hold no copies",
        f"./run doctor --hosts {node.name}; then pulumi up, where it installs k3s; else state: planned",
        "docs/tasks/k3s.md",
        (reach_of(node.name),),
    )


def _of_machine(expected: Expected, node: Node, one: Machine) -> Iterator[LiveTrouble]:
    subject = subject_of(node.name)
    if not one.ready:
        yield LiveTrouble(
            subject,
            f"is not ready: {one.conditions.get('Ready', UNSAID).says or 'it says nothing'}",
            "its pods are moved after five minutes, and its disks' copies are missing to volumes",
            f"./run doctor --hosts {node.name}; on it: systemctl status k3s* ; journalctl -u 'k3s*' -n 50",
            "docs/tasks/a-machine-stands-still.md",
            (reach_of(node.name), clock_of(node.name)),
        )
        return
    for pressure, (says, do) in _PRESSURES.items():
        if one.conditions.get(pressure, UNSAID).status == "True":
            yield LiveTrouble(subject, says, "pods are evicted from it, and none is placed on it (F19)", do)
    if one.unschedulable:
        yield LiveTrouble(
            subject,
            f"is cordoned{', by ./run verify' if one.cordoned_by else ''}",
            "no pod and no copy of a volume is placed on it",
            "nothing, while that runs; where it was cut off, ./run verify lets it go before it begins"
            if one.cordoned_by
            else f"kubectl uncordon {node.name}, if nobody works on it",
            gravity="warning",
        )
    yield from _otherwise(expected, node, one)


def _otherwise(expected: Expected, node: Node, one: Machine) -> Iterator[LiveTrouble]:
    subject = subject_of(node.name)
    missing = {key: value for key, value in node.labels.items() if one.labels.get(key) != value}
    if missing:
        said = ", ".join(f"{key}={value}" for key, value in sorted(missing.items()))
        yield LiveTrouble(
            subject,
            f"has not the labels that are described: {said}",
            "what selects machines by them is placed elsewhere, or nowhere (F10)",
            f"flux reconcile kustomization node-{node.name}-labels",
            "docs/tasks/add-a-machine.md",
            (layer_subject(f"node-{node.name}-labels"),),
        )
    lacking = [taint for taint in node.taints if (taint.key, taint.value or "", taint.effect) not in one.taints]
    for taint in lacking:
        said = f"{taint.key}{f'={taint.value}' if taint.value else ''}:{taint.effect}"
        yield LiveTrouble(
            subject,
            f"has not the taint that is described: {said}",
            "what should stay off it is placed there; k3s sets taints only when a machine joins",
            f"kubectl taint node {node.name} {said}",
        )
    running = Version.read(one.version)
    if running and running.numbers != expected.kubernetes.numbers:
        yield LiveTrouble(
            subject,
            f"runs {one.version}, and {expected.kubernetes} is described",
            "what is checked is checked for another release than the one that runs",
            "the release that runs in kubernetes.version; or that release on the machine, one minor at a time",
            "docs/tasks/k3s.md",
            gravity="warning",
        )


def counted(expected: Expected, facts: ClusterFacts) -> str:
    """How many of those that are described as live are ready."""
    live = {node.name for node in expected.nodes if node.state == "live"}
    ready = sum(one.ready for one in facts.of(MACHINE) if one.name in live)
    return f"machines {ready} of {len(live)} ready" if facts.knows(MACHINE) else ""


RULES = (LiveRule(machines, (MACHINE,)),)
COUNTS = (counted,)
