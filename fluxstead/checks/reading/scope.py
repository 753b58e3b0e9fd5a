"""Which kinds belong to no namespace, and which make pods."""

from __future__ import annotations

from fluxstead.core.manifest import group_of

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")
_CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "GatewayClass",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
        "VolumeSnapshotClass",
        "VolumeSnapshotContent",
    }
)

_NAMESPACED_IN = {("VolumeAttachment", "longhorn.io")}


def is_namespaced(api_version: str, kind: str) -> bool:
    """Whether objects of this kind are in a namespace. Of custom kinds, those called `Cluster…` are taken to be in none."""
    group = group_of(api_version)
    if (kind, group) in _NAMESPACED_IN:
        return True
    if kind == "Node":
        return group != ""
    if kind in _CLUSTER_WIDE:
        return False
    return not (kind.startswith("Cluster") and kind != "Cluster" and "." in group)
