"""The rules for what a machine tells the cluster when it registers: its labels and its taints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.nodes.model import Node

FOREIGN_LABEL = warns("nodes/kubelet-label", "F10", "k3s1 sets kubernetes.io/arch", "the description")
TAINT_OF_CONTROLLERS = warns(
    "nodes/controllers-taint",
    "F10",
    "k3s1 has the taint node.kubernetes.io/not-ready",
    "the description",
)
TAINT_TWICE = refuses("nodes/taint-twice", "U7", "k3s1 has the taint gpu:NoSchedule twice", "the description")
WRONG_LABEL = refuses(
    "nodes/reserved-label",
    "F10",
    "k3s1 has the label kubernetes.io/hostname: other, which its kubelet sets to k3s1",
    "the description",
)
CHECKS = (FOREIGN_LABEL, TAINT_OF_CONTROLLERS, TAINT_TWICE, WRONG_LABEL)

_OF_THE_MACHINE = ("kubernetes.io/arch", "beta.kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type")
"""What the kubelet writes at each start (kubernetes: pkg/kubelet/kubelet_node_status.go, updateDefaultLabels)."""
_OF_SERVERS = tuple(f"node-role.kubernetes.io/{role}" for role in ("control-plane", "etcd", "master"))
"""What k3s gives to its servers (k3s: pkg/server/server.go, setNodeLabelsAndAnnotations)."""


def findings_of(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Labels and taints that others own, and taints that the API server refuses."""
    for node in nodes:
        yield from _labels(node)
        yield from _taints(node)


def _labels(node: Node) -> Iterator[Finding]:
    fixed = {"kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux"}
    for key, own in fixed.items():
        written = node.labels.get(key, own)
        if written != own:
            yield WRONG_LABEL(
                node.source_of("labels", key),
                what=f"{node.name} has the label {key}: {written}, which its kubelet sets to {own}",
                why="the two would write over each other, and volumes and pods are placed by it",
                fix="no such label",
            )
    if node.role == "agent":
        reserved = (*_OF_THE_MACHINE, *_OF_SERVERS)
    else:
        reserved = (*_OF_THE_MACHINE, *(key for key in _OF_SERVERS if node.labels.get(key) != "true"))
    for key in reserved:
        if key in node.labels:
            owner = "k3s gives to its servers" if key in _OF_SERVERS else "its kubelet sets itself"
            yield FOREIGN_LABEL(
                node.source_of("labels", key),
                what=f"{node.name} sets {key}, which {owner}",
                why="with another value than theirs, the two write over each other, and pods land where they cannot run",
                fix="no such label; one of your own, such as example.com/role, for your own meaning",
            )


def _taints(node: Node) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(node.taints):
        name = f"{taint.key}:{taint.effect}"
        if (taint.key, taint.effect) in seen:
            yield TAINT_TWICE(
                node.source_of("taints", index),
                what=f"{node.name} has the taint {name} twice",
                why="the API server refuses a node with two taints of one key and effect, and the machine never joins",
                fix="each key and effect once",
            )
        seen.add((taint.key, taint.effect))
        if taint.key.startswith("node.kubernetes.io/"):
            yield TAINT_OF_CONTROLLERS(
                node.source_of("taints", index),
                what=f"{node.name} has the taint {taint.key}, which belongs to Kubernetes",
                why="its controllers take it away again as soon as the machine is well",
                fix="a key of your own, such as example.com/reserved",
            )
