"""Kinds: which groups the API server serves itself, which kinds are cluster-scoped, and which create pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxstead.core.shape import mapping

BUILT_IN_GROUPS = frozenset(
    {
        *("", "apps", "batch", "autoscaling", "policy"),
        *(
            f"{name}.k8s.io"
            for name in (
                *("admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization", "certificates"),
                *("coordination", "discovery", "events", "flowcontrol.apiserver", "internal.apiserver", "networking", "node"),
                *("rbac.authorization", "resource", "scheduling", "storage", "storagemigration"),
            )
        ),
    }
)
"""The groups that the API server itself serves (kubernetes: pkg/controlplane/instance.go); a test asks a real one."""

CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "ComponentStatus",
        "CustomResourceDefinition",
        "DeviceClass",
        "DeviceTaintRule",
        "FlowSchema",
        "GatewayClass",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersion",
        "StorageVersionMigration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
        "VolumeSnapshotClass",
        "VolumeSnapshotContent",
    }
)


_TEMPLATES = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), ("spec", "template")),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
"""Where a kind holds its pods."""
WORKLOADS = tuple(_TEMPLATES)
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
"""Where a pod's spec lists its containers."""


def is_namespaced(group: str, kind: str) -> bool:
    """Whether objects of this kind have a namespace. Custom kinds called `Cluster…` are assumed to have none."""
    if "." not in group or group.endswith(".k8s.io"):
        return kind not in CLUSTER_WIDE
    return not (kind.startswith("Cluster") and kind != "Cluster")


def pod_in(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The pod template of a workload, or the pod itself; None for other kinds."""
    way = _TEMPLATES.get(str(obj.get("kind")))
    if way is None:
        return None
    for key in way:
        obj = mapping(obj, key)
    return obj
