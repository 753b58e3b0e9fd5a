"""What an object needs and what it offers, read off the object alone, by the table of what names what (failures F1, U5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from fluxstead.catalog.chart import Charts
from fluxstead.catalog.kinds import BUILT_IN_GROUPS
from fluxstead.catalog.references import makes, names_in
from fluxstead.core.capability import Capability, Kind
from fluxstead.core.manifest import group_of

_KINDS = frozenset({"StorageClass", "IngressClass", "Secret", "ServiceAccount", "ClusterIssuer", "Issuer"})
"""What an edge is for; other things that are named (ConfigMaps, claims, targets) lie in the layer of who names them."""


def offers_of(obj: Mapping[str, Any], charts: Charts) -> Iterator[Capability]:
    """What the cluster has once this object is applied."""
    kind, name = obj["kind"], obj["metadata"]["name"]
    namespace = obj["metadata"].get("namespace", "")
    match kind:
        case "Namespace" | "StorageClass" | "IngressClass" | "ClusterIssuer":
            yield Capability(kind, name)
        case "CustomResourceDefinition":
            yield Capability("CustomResourceDefinition", f"{obj['spec']['names']['kind']}.{obj['spec']['group']}")
        case "Secret" | "ServiceAccount" | "Issuer":
            yield Capability(kind, name, namespace)
        case "HelmRelease":
            yield from _chart_offers(obj["spec"], charts)
        case "HelmRepository" | "GitRepository" | "OCIRepository" | "Bucket":
            yield Capability("Source", f"{kind}/{name}", namespace)
    yield from (Capability("Secret", secret, namespace) for secret in makes(obj))


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
    if group not in BUILT_IN_GROUPS:
        yield Capability("CustomResourceDefinition", f"{kind}.{group}")
    if kind == "HelmRelease":
        yield from _chart_source(obj["spec"], namespace)
    for named in names_in(obj, namespace):
        if named.kind in _KINDS and (named.kind, named.name) != ("ServiceAccount", "default"):
            yield Capability(cast("Kind", named.kind), named.name, named.namespace)


def _chart_source(spec: Mapping[str, Any], namespace: str) -> Iterator[Capability]:
    source = spec.get("chartRef") or spec.get("chart", {}).get("spec", {}).get("sourceRef")
    if source:
        yield Capability("Source", f"{source['kind']}/{source['name']}", source.get("namespace", namespace))
