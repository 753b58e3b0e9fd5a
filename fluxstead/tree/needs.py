"""What an object needs and what it offers, read off the object alone (failures F1, U5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.chart import Charts
from fluxstead.core.capability import Capability
from fluxstead.core.manifest import group_of

_BUILT_IN_GROUPS = frozenset(
    {
        "",
        "apps",
        "batch",
        "autoscaling",
        "policy",
        "networking.k8s.io",
        "rbac.authorization.k8s.io",
        "storage.k8s.io",
        "scheduling.k8s.io",
        "apiextensions.k8s.io",
        "admissionregistration.k8s.io",
    }
)
"""API groups that the API server itself serves."""


def offers_of(obj: Mapping[str, Any], charts: Charts) -> Iterator[Capability]:
    """What the cluster has once this object is applied."""
    kind, name = obj["kind"], obj["metadata"]["name"]
    namespace = obj["metadata"].get("namespace", "")
    match kind:
        case "Namespace" | "StorageClass" | "IngressClass" | "ClusterIssuer":
            yield Capability(kind, name)
        case "CustomResourceDefinition":
            yield Capability("CustomResourceDefinition", f"{obj['spec']['names']['kind']}.{obj['spec']['group']}")
        case "Secret" | "ServiceAccount":
            yield Capability(kind, name, namespace)
        case "HelmRelease":
            yield from _chart_offers(obj["spec"], charts)
        case "HelmRepository" | "GitRepository" | "OCIRepository" | "Bucket":
            yield Capability("Source", f"{kind}/{name}", namespace)


def _chart_offers(spec: Mapping[str, Any], charts: Charts) -> Iterator[Capability]:
    chart = spec.get("chart", {}).get("spec", {})
    brings = charts.brings(chart["chart"], chart["version"]) if chart else None
    if brings:
        yield from (Capability("CustomResourceDefinition", name) for name in sorted(brings.crds))
        yield from (Capability("StorageClass", name) for name in sorted(brings.storage_classes))
        yield from (Capability("IngressClass", name) for name in sorted(brings.ingress_classes))


def needs_of(obj: Mapping[str, Any]) -> Iterator[Capability]:
    """What has to be in the cluster before this object can be applied and become ready."""
    kind, group = obj["kind"], group_of(obj["apiVersion"])
    namespace = obj["metadata"].get("namespace", "")
    if namespace:
        yield Capability("Namespace", namespace)
    if group not in _BUILT_IN_GROUPS:
        yield Capability("CustomResourceDefinition", f"{kind}.{group}")
    spec = obj.get("spec") or {}
    match kind:
        case "HelmRelease":
            yield from _chart_source(spec, namespace)
            yield from _storage_in(spec.get("values") or {})
        case "Ingress":
            if "ingressClassName" in spec:
                yield Capability("IngressClass", spec["ingressClassName"])
            yield from _secrets_of_ingress(spec, namespace)
        case "PersistentVolumeClaim" | "StatefulSet":
            yield from _storage_in(spec)
        case _:
            pass
    yield from _issuer(obj)
    template = _pod_spec(kind, spec)
    if template:
        yield from _pod_needs(template, namespace)


def _chart_source(spec: Mapping[str, Any], namespace: str) -> Iterator[Capability]:
    source = spec.get("chartRef") or spec.get("chart", {}).get("spec", {}).get("sourceRef")
    if source:
        yield Capability("Source", f"{source['kind']}/{source['name']}", source.get("namespace", namespace))


def _storage_in(value: Any) -> Iterator[Capability]:
    """Every storage class named inside `value`, wherever a chart's values put it."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"storageClassName", "storageClass"} and isinstance(item, str) and item:
                yield Capability("StorageClass", item)
            else:
                yield from _storage_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _storage_in(item)


def _secrets_of_ingress(spec: Mapping[str, Any], namespace: str) -> Iterator[Capability]:
    for tls in spec.get("tls") or []:
        if "secretName" in tls:
            yield Capability("Secret", tls["secretName"], namespace)


def _issuer(obj: Mapping[str, Any]) -> Iterator[Capability]:
    annotations = obj["metadata"].get("annotations") or {}
    issuer = annotations.get("cert-manager.io/cluster-issuer")
    if issuer:
        yield Capability("ClusterIssuer", issuer)


def _pod_spec(kind: str, spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if kind in {"Deployment", "StatefulSet", "DaemonSet", "Job"}:
        found: Mapping[str, Any] = spec["template"]["spec"]
        return found
    if kind == "CronJob":
        nested: Mapping[str, Any] = spec["jobTemplate"]["spec"]["template"]["spec"]
        return nested
    return None


def _pod_needs(pod: Mapping[str, Any], namespace: str) -> Iterator[Capability]:
    account = pod.get("serviceAccountName")
    if account and account != "default":
        yield Capability("ServiceAccount", account, namespace)
    for secret in pod.get("imagePullSecrets") or []:
        yield Capability("Secret", secret["name"], namespace)
    for volume in pod.get("volumes") or []:
        if "secret" in volume and not volume["secret"].get("optional"):
            yield Capability("Secret", volume["secret"]["secretName"], namespace)
    for container in [*(pod.get("initContainers") or []), *pod["containers"]]:
        for source in container.get("envFrom") or []:
            if "secretRef" in source and not source["secretRef"].get("optional"):
                yield Capability("Secret", source["secretRef"]["name"], namespace)
        for variable in container.get("env") or []:
            reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
            if reference and not reference.get("optional"):
                yield Capability("Secret", reference["name"], namespace)
