"""Each declared disk that Longhorn does not use, and why (failures F1, F12, F15, F24).

Sources: longhorn/longhorn-manager controller/monitor/disk_monitor.go and controller/node_controller.go, which set a disk's
conditions; scheduler/replica_scheduler.go, IsSchedulableToDisk: how much may be promised, and how much must stay free;
types/setting.go: the settings' defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.live.conditions import UNSAID
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import LiveTrouble, Subject, layer_subject, pods_in
from fluxstead.systems.longhorn.live.kinds import SETTING, number_of
from fluxstead.systems.longhorn.live.node import NODE, LiveDisk, LiveNode, disk_subject, disks_of, manager_of, room_on
from fluxstead.systems.longhorn.names import PROVISIONER
from fluxstead.systems.longhorn.storage import OPENED

_CFG = "docs/tasks/longhorn-disk-cfg.md"
_STORAGE = Subject("storage of", PROVISIONER)
_PROMISED = "storage-over-provisioning-percentage"
_WHOLE = 100
"""What may be promised of a disk by default, in percent of what is not reserved."""


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
        described = {disk.name for disk in node.disks}
        for seen in one.disks:
            found = list(_of_disk(one, seen, facts))
            yield from found
            if seen.name not in described and not found:
                yield _undescribed(one, seen)


def _unknown(machine: str, disk: str) -> LiveTrouble:
    return LiveTrouble(
        disk_subject(machine, disk),
        "is described, and Longhorn does not have it",
        "no copy of a volume is placed on it",
        f"flux events --for Kustomization/longhorn-node-{machine}",
        waits_for=(layer_subject(f"longhorn-node-{machine}"), subject_of(machine)),
        also=(disks_of(machine), _STORAGE, *_GATE),
    )


def _undescribed(node: LiveNode, disk: LiveDisk) -> LiveTrouble:
    """Such as the default disk, which Longhorn makes on the filesystem of its data path (controller/node_controller.go)."""
    held = f", and {disk.copies} copies are on it" if disk.copies else ""
    return LiveTrouble(
        disk_subject(node.name, disk.name),
        f"is used by Longhorn at {disk.path}, and no file of nodes/ describes it{held}",
        "it may be the disk of the system, which volumes then fill (F24)",
        f"describe it; or kubectl -n {node.namespace} edit nodes.longhorn.io {node.name}: allowScheduling: false and "
        "evictionRequested: true for it, and take it out once no copy is on it",
        gravity="warning",
    )


_GATE = (layer_subject(OPENED),)
"""What asks once whether every disk is registered."""


def _of_disk(node: LiveNode, disk: LiveDisk, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    subject = disk_subject(node.name, disk.name)
    above = (subject_of(node.name), manager_of(node.name), Subject("host's disk", subject.name))
    also = (disks_of(node.name),)
    ready, reason, says = disk.conditions.get("Ready", UNSAID)
    file = f"{disk.path}/longhorn-disk.cfg"
    if not disk.uuid and ready == "True":
        yield LiveTrouble(
            subject,
            f"has no UUID: {file} holds JSON without one, such as {{}}",
            "no volume can be placed on it: missing parameters for replica instance creation (F15)",
            f"on {node.name}: sudo cat {file}; where {disk.path}/replicas is empty: sudo rm {file}; then "
            f"./run recover manager {node.name}",
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
            (*above, pods_in(node.namespace)),
            also=(*also, _STORAGE),
        )
    elif ready == "True" and disk.conditions.get("Schedulable", UNSAID).status == "False":
        yield _full(node, disk, facts)


def _full(node: LiveNode, disk: LiveDisk, facts: ClusterFacts) -> LiveTrouble:
    """Longhorn says of both limits only how much is free, so which of them is reached is counted here."""
    subject, (_, reason, says) = disk_subject(node.name, disk.name), disk.conditions["Schedulable"]
    room, percentage = disk.room, number_of(facts, _PROMISED, _WHOLE)
    allowed = max(0, room.maximum - room.reserved) * percentage // 100
    if room.scheduled <= allowed:
        return LiveTrouble(
            subject,
            f"takes no more copies: {says or reason}",
            "volumes that need another copy stay degraded",
            f"snapshots and backups that may go, or a disk more; kubectl -n {node.namespace} get volumes.longhorn.io",
            gravity="warning",
            also=(room_on(node.name),),
        )
    return LiveTrouble(
        subject,
        f"takes no more copies: {_gib(room.scheduled)} are promised to volumes, and {_gib(allowed)} may be",
        "volumes that need another copy stay degraded, and no volume there can grow",
        "another disk, or volumes that may go; only where they stay half empty, more than is there, by "
        f"storageOverProvisioningPercentage under longhorn.values.defaultSettings (it is {percentage})",
        gravity="warning",
        also=(room_on(node.name),),
    )


def _gib(size: int) -> str:
    return f"{size / 2**30:.0f} GiB"


RULES = (LiveRule(disks, (NODE, SETTING)),)
