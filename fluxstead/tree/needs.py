"""What an object needs and what it offers, read from the object alone, by the table of what names what (failures F1, U5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.catalog.chart import Charts
from fluxstead.catalog.kinds import BUILT_IN_GROUPS
from fluxstead.catalog.references import PASSWORDS, created_secrets, references_in
from fluxstead.core.manifest import ObjectRef, group_of, ref_of
from fluxstead.core.requirement import GroupKind, Requirement, ingress_class, namespace, secret, storage_class

_KINDS = frozenset({"StorageClass", "IngressClass", "Secret", "ServiceAccount", "ClusterIssuer", "Issuer"})
"""What edges are for; other things that are named (ConfigMaps, claims, targets) are in the layer that names them."""


_MAY_COME_LATER = frozenset({"tls", "defaultCertificate", "basicAuth", "digestAuth", PASSWORDS})
"""The keys of certificates and passwords in what answers requests, which no layer waits for: until they are there, the controller's
own certificate answers, and nobody is let in."""


def offers_of(obj: Mapping[str, Any], charts: Charts) -> Iterator[Requirement]:
    """What the cluster has once this object is applied: itself, and what comes of it."""
    ref = ref_of(obj)
    yield ref
    match ref.kind:
        case "CustomResourceDefinition":
            yield GroupKind(obj["spec"]["group"], obj["spec"]["names"]["kind"])
        case "HelmRelease":
            yield from _chart_offers(obj["spec"], charts)
    yield from (secret(ref.namespace, name) for name in created_secrets(obj))


def _chart_offers(spec: Mapping[str, Any], charts: Charts) -> Iterator[Requirement]:
    chart = spec.get("chart", {}).get("spec", {})
    brings = charts.brings(chart["chart"], chart["version"]) if chart else None
    if brings:
        yield from sorted(brings.crds)
        yield from map(storage_class, sorted(brings.storage_classes))
        yield from map(ingress_class, sorted(brings.ingress_classes))


def needs_of(obj: Mapping[str, Any]) -> Iterator[Requirement]:
    """What has to be in the cluster before this object can be applied and become ready."""
    kind, group = obj["kind"], group_of(obj["apiVersion"])
    where = obj["metadata"].get("namespace", "")
    if where:
        yield namespace(where)
    if group not in BUILT_IN_GROUPS:
        yield GroupKind(group, kind)
    if kind == "HelmRelease":
        yield from _chart_source(obj["spec"], where)
    for one in references_in(obj, where):
        if one.field in _MAY_COME_LATER:
            continue
        if one.ref.kind in _KINDS and (one.ref.kind, one.ref.name) != ("ServiceAccount", "default"):
            yield one.ref


def _chart_source(spec: Mapping[str, Any], where: str) -> Iterator[ObjectRef]:
    source = spec.get("chartRef") or spec.get("chart", {}).get("spec", {}).get("sourceRef")
    if source:
        yield ObjectRef("source.toolkit.fluxcd.io", source["kind"], source.get("namespace", where), source["name"])
