"""Longhorn's Nodes: managers that are not there, what hosts lack, and Nodes whose machine is gone (failures F11, F18).

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/node.go: conditions and reasons; controller/node_controller.go,
which sets them; webhook/resources/node/validator.go: since 1.10 a Node goes only where its machine has, it takes no more copies,
and holds none. longhorn/website: nodes-and-volumes/nodes/graceful-node-removal.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.live.conditions import UNSAID
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.machines import MACHINE, subject_of
from fluxstead.live.trouble import LiveTrouble, Subject, pods_in
from fluxstead.systems.longhorn.live.node import NODE, LiveNode, manager_of, node_subject

_NEEDS = {
    "RequiredPackages": "volumes do not attach there (F11)",
    "MountPropagation": "volumes do not attach there",
    "KernelModulesLoaded": "encrypted volumes do not attach there",
    "NFSClientInstalled": "volumes that several machines share do not attach there",
}
"""What is said of the host. Not whether multipathd runs: it may, where Longhorn's devices are kept off it, which the host knows."""
_WITHOUT_NOTHING_ATTACHES = frozenset({"RequiredPackages", "MountPropagation"})


def nodes(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Each Node: what is wrong with it, or what its host lacks."""
    there = {one.name for one in facts.of(MACHINE)} if facts.knows(MACHINE) else None
    states = {node.name: node.state for node in expected.nodes}
    for one in facts.of(NODE):
        state, status = states.get(one.name), one.conditions.get("Ready", UNSAID).status
        if one.leaving:
            yield _goes_not(one)
        elif there is not None and one.name not in there and state != "live":
            yield _gone(one, described=state is not None)
        elif there is not None and state is None and one.copies:
            yield _undescribed(one)
        elif status == "False":
            yield _no_manager(one)
        yield from _lacks(one)


def _goes_not(one: LiveNode) -> LiveTrouble:
    return LiveTrouble(
        node_subject(one.name),
        "is deleted, and does not go: something of it is still in use",
        "its copies are neither there nor gone",
        f"kubectl -n {one.namespace} get replicas.longhorn.io | grep {one.name}",
        waits_for=(subject_of(one.name),),
    )


def _gone(one: LiveNode, *, described: bool) -> LiveTrouble:
    """What a machine leaves behind that was taken out of Kubernetes: Flux never prunes its Node."""
    kubectl = f"kubectl -n {one.namespace}"
    held = f", and {one.copies} copies are still counted on it" if one.copies else ""
    wait = "once their volumes are healthy, delete what is left of its replicas.longhorn.io; " if one.copies else ""
    return LiveTrouble(
        node_subject(one.name),
        f"is left over: its machine is no longer in Kubernetes{held}",
        "their volumes have fewer copies than it seems (F18)" if one.copies else "Longhorn reports a machine that is down for ever",
        f'{kubectl} patch nodes.longhorn.io {one.name} --type merge -p \'{{"spec":{{"allowScheduling":false}}}}\'; {wait}'
        f"{kubectl} delete nodes.longhorn.io {one.name}{f'; then remove nodes/{one.name}.yaml' if described else ''}",
        "docs/tasks/add-a-machine.md",
        gravity="error" if one.copies else "warning",
    )


def _undescribed(one: LiveNode) -> LiveTrouble:
    return LiveTrouble(
        node_subject(one.name),
        f"holds {one.copies} copies of volumes, and no file of nodes/ describes its machine",
        "whoever takes the machine away takes them as well (F18)",
        f"nodes/{one.name}.yaml with state: leaving, and its disks; the machine may go once Longhorn has moved the copies away",
        "docs/tasks/add-a-machine.md",
        gravity="warning",
    )


def _no_manager(one: LiveNode) -> LiveTrouble:
    _, reason, says = one.conditions["Ready"]
    return LiveTrouble(
        manager_of(one.name),
        f"is not ready: {says or reason}",
        "Longhorn does nothing on that machine",
        f"kubectl -n {one.namespace} get pods -o wide | grep {one.name}",
        "docs/tasks/a-machine-stands-still.md",
        (subject_of(one.name), pods_in(one.namespace)),
    )


def _lacks(one: LiveNode) -> Iterator[LiveTrouble]:
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


RULES = (LiveRule(nodes, (NODE, MACHINE)),)
