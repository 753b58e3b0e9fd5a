"""What can be wrong with Longhorn in a running cluster (failures F1, F9, F15, F18, F24, F28).

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/{node,volume}.go; controller/monitor/disk_monitor.go, which sets a
disk's conditions; controller/volume_controller.go, which sets a volume's robustness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping
from fluxstead.core.version import Version
from fluxstead.live.conditions import UNSAID, Condition, conditions_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.flux import layer_subject
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import LiveTrouble, Subject
from fluxstead.systems.longhorn.storage import OPENED

_API = "apis/longhorn.io/v1beta2"
_CFG = "docs/tasks/longhorn-disk-cfg.md"
_STORAGE = Subject("storage of", "driver.longhorn.io")
_PRODUCT = "longhorn"


class LiveDisk(NamedTuple):
    """A disk of a Node. `conditions`: by type."""

    name: str
    path: str
    uuid: str
    conditions: Mapping[str, Condition]


class LiveNode(NamedTuple):
    """Longhorn's Node, with the disks of its spec. `leaving`: whether it is being deleted."""

    name: str
    namespace: str
    disks: tuple[LiveDisk, ...]
    conditions: Mapping[str, Condition]
    leaving: bool


class LiveVolume(NamedTuple):
    """A volume. `claim`: the claim that it is for, as `namespace/name`."""

    namespace: str
    name: str
    robustness: str
    claim: str
    restoring: bool


def _node(obj: Mapping[str, Any]) -> LiveNode:
    metadata, spec, status = (mapping(obj, key) for key in ("metadata", "spec", "status"))
    declared, found = mapping(spec, "disks"), mapping(status, "diskStatus")
    disks = tuple(
        LiveDisk(
            str(name),
            str(mapping(declared, name).get("path", "")),
            str(mapping(found, name).get("diskUUID") or ""),
            conditions_of(mapping(found, name)),
        )
        for name in declared
    )
    return LiveNode(
        str(metadata.get("name", "")),
        str(metadata.get("namespace", "")),
        disks,
        conditions_of(status),
        bool(metadata.get("deletionTimestamp")),
    )


def _volume(obj: Mapping[str, Any]) -> LiveVolume:
    metadata, status = mapping(obj, "metadata"), mapping(obj, "status")
    of = mapping(status, "kubernetesStatus")
    claim = f"{of.get('namespace')}/{of.get('pvcName')}" if of.get("pvcName") else ""
    return LiveVolume(
        str(metadata.get("namespace", "")),
        str(metadata.get("name", "")),
        str(status.get("robustness", "")),
        claim,
        status.get("restoreRequired") is True,
    )


class LiveSetting(NamedTuple):
    """One of Longhorn's settings."""

    namespace: str
    name: str
    value: str


def _setting(obj: Mapping[str, Any]) -> LiveSetting:
    metadata = mapping(obj, "metadata")
    return LiveSetting(str(metadata.get("namespace", "")), str(metadata.get("name", "")), str(obj.get("value", "")))


NODE = Kind(Resource(_API, "nodes"), _node)
VOLUME = Kind(Resource(_API, "volumes"), _volume)
SETTING = Kind(Resource(_API, "settings"), _setting)


def disk_subject(machine: str, disk: str) -> Subject:
    """A disk, as it is named everywhere."""
    return Subject("disk", f"{disk} of {machine}")


def disks(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Each declared disk that Longhorn does not use, and why."""
    if not facts.knows(NODE):
        return
    known = {one.name: one for one in facts.of(NODE)}
    for node in expected.nodes:
        one = known.get(node.name)
        if one is None or node.state != "live":
            continue
        declared = {disk.name for disk in one.disks}
        for disk in node.disks:
            if disk.name not in declared:
                yield _unknown(node.name, disk.name)
        for seen in one.disks:
            yield from _of_disk(one, seen)


def _unknown(machine: str, disk: str) -> LiveTrouble:
    return LiveTrouble(
        disk_subject(machine, disk),
        "is described, and Longhorn does not have it",
        "no copy of a volume is placed on it",
        f"flux events --for Kustomization/longhorn-node-{machine}",
        waits_for=(Subject("layer", f"longhorn-node-{machine}"), subject_of(machine)),
        also=(Subject("disks of", machine), _STORAGE, *_GATE),
    )


_GATE = (layer_subject(OPENED),)
"""What asks once whether every disk is registered."""


def _of_disk(node: LiveNode, disk: LiveDisk) -> Iterator[LiveTrouble]:
    subject = disk_subject(node.name, disk.name)
    above = (subject_of(node.name), Subject("manager of", node.name), Subject("host's disk", subject.name))
    also = (Subject("disks of", node.name),)
    ready, reason, says = disk.conditions.get("Ready", UNSAID)
    file = f"{disk.path}/longhorn-disk.cfg"
    if not disk.uuid and ready == "True":
        yield LiveTrouble(
            subject,
            f"has no UUID: {file} holds JSON without one, such as {{}}",
            "no volume can be placed on it: missing parameters for replica instance creation (F15)",
            f"on {node.name}: sudo cat {file}; where {disk.path}/replicas is empty: sudo rm {file}, and restart its manager",
            _CFG,
            above,
            also=(*also, _STORAGE),
        )
    elif ready == "False":
        cure = {
            "NoDiskInfo": f"on {node.name}: findmnt {disk.path}; sudo cat {file}; ./run doctor --hosts {node.name}",
            "DiskFilesystemChanged": f"on {node.name}: findmnt {disk.path}; mount what belongs there, and it comes back",
        }.get(reason, f"./run doctor --hosts {node.name}")
        yield LiveTrouble(
            subject,
            f"is not ready: {says or reason}",
            "its copies are missing to their volumes, and none is placed on it",
            cure,
            _CFG if reason in {"NoDiskInfo", "DiskFilesystemChanged"} else "",
            above,
            also=also if disk.uuid else (*also, _STORAGE),
        )
    elif not disk.uuid:
        yield LiveTrouble(
            subject,
            "has no UUID yet: Longhorn has said nothing of it",
            "a volume cannot be placed on it",
            f"kubectl -n {node.namespace} get pods -l app=longhorn-manager --field-selector spec.nodeName={node.name}",
            _CFG,
            (*above, Subject("pods in", node.namespace)),
            also=(*also, _STORAGE),
        )
    schedulable, reason, says = disk.conditions.get("Schedulable", UNSAID)
    if ready == "True" and disk.uuid and schedulable == "False":
        yield LiveTrouble(
            subject,
            f"takes no more copies: {says or reason}",
            "volumes that need another copy stay degraded",
            f"snapshots and backups that may go, or a disk more; kubectl -n {node.namespace} get volumes.longhorn.io",
            gravity="warning",
        )


_NEEDS = {
    "RequiredPackages": "volumes do not attach there (F11)",
    "MountPropagation": "volumes do not attach there",
    "KernelModulesLoaded": "encrypted volumes do not attach there",
    "NFSClientInstalled": "volumes that several machines share do not attach there",
}
"""What is said of the host. Not whether multipathd runs: it may, where Longhorn's devices are kept off it, which the host knows."""
_WITHOUT_NOTHING_ATTACHES = frozenset({"RequiredPackages", "MountPropagation"})


def nodes(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Managers that are not there, what the host lacks, and Nodes that are on their way out and do not go (F11, F18)."""
    del expected
    for one in facts.of(NODE):
        status, reason, says = one.conditions.get("Ready", UNSAID)
        subject = Subject("manager of", one.name)
        if one.leaving:
            yield LiveTrouble(
                Subject("node of Longhorn", one.name),
                "is deleted, and does not go: something of it is still in use",
                "its copies are neither there nor gone",
                f"kubectl -n {one.namespace} get replicas.longhorn.io | grep {one.name}",
                waits_for=(subject_of(one.name),),
            )
        elif status == "False":
            yield LiveTrouble(
                subject,
                f"is not ready: {says or reason}",
                "Longhorn does nothing on that machine",
                f"kubectl -n {one.namespace} get pods -o wide | grep {one.name}",
                "docs/tasks/a-machine-stands-still.md",
                (subject_of(one.name), Subject("pods in", one.namespace)),
            )
        for kind, means in _NEEDS.items():
            lacks, reason, why = one.conditions.get(kind, UNSAID)
            if lacks == "False" and reason != "UnknownOS":
                yield LiveTrouble(
                    Subject("what Longhorn needs on", one.name),
                    f"is not all there: {why or kind}",
                    means,
                    f"./run doctor --hosts {one.name}; pulumi up prepares it",
                    "docs/tasks/prepare-hosts.md",
                    (subject_of(one.name),),
                    "error" if kind in _WITHOUT_NOTHING_ATTACHES else "warning",
                )


def volumes(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Volumes without a good copy, and with fewer than they should have."""
    del expected
    for one in facts.of(VOLUME):
        what = f" (claim {one.claim})" if one.claim else ""
        if one.robustness == "faulted":
            yield LiveTrouble(
                Subject("volume", one.name),
                f"is faulted{what}: no copy of it can be used",
                "what uses it stands still, and its data is in danger",
                f"the machines of its copies first; kubectl -n {one.namespace} describe volumes.longhorn.io {one.name}",
                waits_for=tuple(subject_of(node.name) for node in facts.of(NODE)),
            )
        elif one.robustness == "degraded" and not one.restoring:
            yield LiveTrouble(
                Subject("volume", one.name),
                f"is degraded{what}: it has fewer copies than it should have",
                "one more loss, and its data may be gone",
                "nothing, while it is rebuilt; else a disk with room, on a machine without a copy of it",
                waits_for=tuple(one for node in facts.of(NODE) for one in (subject_of(node.name), Subject("disks of", node.name))),
                gravity="warning",
            )


def version(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Which Longhorn runs, against the described one: a release may be ready and its programs the former ones (F9)."""
    described = expected.products.get(_PRODUCT)
    for one in facts.of(SETTING):
        running = Version.read(one.value) if one.name == "current-longhorn-version" else None
        if not described or not running or running.numbers == described.numbers:
            continue
        yield LiveTrouble(
            Subject("Longhorn", str(running)),
            f"runs, and {described} is described",
            "an upgrade did not arrive, or nobody described it",
            f"flux get helmreleases -n {one.namespace}; the release that runs in longhorn.version, if it is the right one",
            waits_for=(Subject("layer", _PRODUCT), Subject("release", f"{one.namespace}/{_PRODUCT}")),
            gravity="warning",
        )


RULES = (
    LiveRule(disks, (NODE,)),
    LiveRule(nodes, (NODE,)),
    LiveRule(volumes, (VOLUME, NODE)),
    LiveRule(version, (SETTING,)),
)


def counted(expected: Expected, facts: ClusterFacts) -> str:
    """How many volumes there are, and how many of them lack copies."""
    del expected
    said = [one.robustness for one in facts.of(VOLUME)]
    short = "".join(f", {said.count(word)} {word}" for word in ("degraded", "faulted") if word in said)
    return f"volumes {len(said)}{short}" if facts.knows(VOLUME) else ""


COUNTS = (counted,)
