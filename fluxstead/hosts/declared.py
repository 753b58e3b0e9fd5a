"""A node of the description as the data that the script on the host takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fluxstead.nodes.model import Disk, Node

# Labels of Kubernetes' own prefixes that a kubelet may give itself; it exits on any other (kubernetes:
# staging/src/k8s.io/kubelet/pkg/apis/well_known_labels.go).
_KUBELET_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELET_LABELS = frozenset(
    {
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)


def declared(node: Node, state: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """What the script is told of the machine; sizes in bytes. `state`: how the cluster's state is copied there, if it is."""
    return {
        "node": node.name,
        # k3s takes one of each family, with a comma between them (docs.k3s.io: networking, dual-stack).
        "address": ",".join(str(address) for address in (node.address, node.second_address) if address),
        "disks": [_disk(disk) for disk in node.disks],
        "k3s": {
            "nodeLabels": [f"{key}={value}" for key, value in sorted(node.labels.items()) if kubelet_admits(key)],
            "nodeTaints": [str(taint) for taint in node.taints],
        },
        **({"state": dict(state)} if state else {}),
    }


def kubelet_admits(label: str) -> bool:
    """Whether k3s's kubelet may register with this label (failure F10); the others are kept by Flux alone."""
    prefix = label.rpartition("/")[0]
    return not _within(prefix, ("kubernetes.io", "k8s.io")) or label in _KUBELET_LABELS or _within(prefix, _KUBELET_DOMAINS)


def _within(prefix: str, domains: Sequence[str]) -> bool:
    return any(prefix == domain or prefix.endswith(f".{domain}") for domain in domains)


def _disk(disk: Disk) -> dict[str, Any]:
    return {
        "name": disk.name,
        "device": disk.device,
        "serial": disk.serial,
        "wwn": disk.wwn,
        "size": disk.size.bytes,
        "filesystem": disk.filesystem,
        "mountPath": disk.mount_path,
        "wipe": disk.wipe,
    }
