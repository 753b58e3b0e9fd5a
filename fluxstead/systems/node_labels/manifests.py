"""The labels of the Kubernetes nodes, kept by Flux (failure F10).

Flux may change the described nodes but not create them, so a missing node is a visible error and no phantom object appears. Each
machine's labels are a layer of their own: Flux applies all of a layer or nothing, so one missing node would hold back
all the others' labels.
It may read all nodes: when a machine leaves, Flux looks at its Node a last time, and a layer whose account could not would never go
(kustomize-controller: `finalize`).
Taints stay out: they are one atomic list, and every reconcile would take the controllers' own taints away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fluxstead.core.findings import Source
from fluxstead.core.manifest import KEEP, Manifest
from fluxstead.core.names import bounded
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.nodes.model import Node
from fluxstead.tree.layer import Layer, Plan

_ACCOUNT = "node-labels"
_ROLE = "fluxstead-node-labels"
_RBAC = "rbac.authorization.k8s.io"


def plan(nodes: Sequence[Node]) -> Plan:
    """Who may label nodes, and a layer for each machine with labels. None where no joined node declares any."""
    labelled = [node for node in nodes if node.joined and node.labels]
    if not labelled:
        return Plan()
    source = Source("nodes/*.yaml")
    return Plan(
        layers=(
            Layer(
                name="node-labels-access",
                group="infrastructure",
                source=source,
                manifests=tuple(Manifest(obj, source) for obj in _access([node.name for node in labelled])),
            ),
            *(_layer(node) for node in labelled),
        )
    )


def _layer(node: Node) -> Layer:
    return Layer(
        name=bounded(f"node-{node.name}-labels"),
        group="infrastructure",
        source=node.source_of("labels"),
        manifests=(_labels(node),),
        service_account_name=_ACCOUNT,
        # A node's own conditions say whether it is down; this only says that it has its labels.
        waits=False,
    )


def _labels(node: Node) -> Manifest:
    source: Source = node.source_of("labels")
    return Manifest(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": node.name,
                "labels": dict(sorted(node.labels.items())),
                "annotations": {**KEEP, "kustomize.toolkit.fluxcd.io/ssa": "Merge"},
            },
        },
        source,
    )


def _access(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    yield {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": _ACCOUNT, "namespace": FLUX_NAMESPACE},
        "automountServiceAccountToken": False,
    }
    nodes = {"apiGroups": [""], "resources": ["nodes"]}
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _ROLE},
        "rules": [
            {**nodes, "verbs": ["get", "list", "watch"]},
            {**nodes, "resourceNames": sorted(names), "verbs": ["patch"]},
        ],
    }
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _ROLE},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": _ROLE},
        "subjects": [{"kind": "ServiceAccount", "name": _ACCOUNT, "namespace": FLUX_NAMESPACE}],
    }
