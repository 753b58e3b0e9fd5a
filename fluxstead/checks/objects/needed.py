"""What written objects need of a cluster and bring to it, for the cold start alone.

Apart from the table of what names what, by which the order is inferred, on purpose: the cold start proves that order, and shares
with it only facts of others: what chart versions bring, which groups the API server serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from fluxstead.catalog.brings import Brings
from fluxstead.catalog.kinds import BUILT_IN_GROUPS, pod_in
from fluxstead.checks.reading.store import entries_of
from fluxstead.checks.reading.view import Item, annotation
from fluxstead.core.shape import mapping

Sort = Literal["kind", "namespace", "storage class", "ingress class", "secret", "service account", "issuer"]

_FIRST = frozenset({"kind", "namespace"})


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """Something that is in a cluster or not. `namespace` is empty for what has none."""

    sort: Sort
    name: str
    namespace: str = ""

    @property
    def first(self) -> bool:
        """Whether the API server refuses what needs it until it is there; else the object is only not ready."""
        return self.sort in _FIRST

    def __str__(self) -> str:
        return f"{self.sort} {self.namespace}/{self.name}" if self.namespace else f"{self.sort} {self.name}"


def needed_by(item: Item) -> Iterator[Thing]:
    """What has to be there before this object can be applied, or be ready."""
    ref = item.ref
    if ref.group not in BUILT_IN_GROUPS:
        yield Thing("kind", f"{ref.kind}.{ref.group}")
    if ref.namespace:
        yield Thing("namespace", ref.namespace)
    yield from _later(item)
    if ref.group in {"", "apps", "batch"}:
        yield from _by_pod(item)


def _later(item: Item) -> Iterator[Thing]:
    """What it can be applied without, and not be ready."""
    match item.ref.kind:
        case "PersistentVolumeClaim":
            yield from _class(item.spec)
        case "StatefulSet":
            for claim in entries_of(item.spec, "volumeClaimTemplates"):
                yield from _class(mapping(claim, "spec"))
        case "HelmRelease":
            yield from _classes_in(item.spec.get("values"))
        case "Ingress":
            name, issuer = item.spec.get("ingressClassName"), annotation(item, "cert-manager.io/cluster-issuer")
            yield from [Thing("ingress class", name)] if isinstance(name, str) else []
            yield from [Thing("issuer", issuer)] if issuer else []
        case "Certificate":
            reference = mapping(item.spec, "issuerRef")
            if reference.get("kind") == "ClusterIssuer":
                yield Thing("issuer", str(reference.get("name")))


def _by_pod(item: Item) -> Iterator[Thing]:
    pod = pod_in(item.object)
    spec = mapping(pod, "spec") if pod is not None else {}
    account = spec.get("serviceAccountName")
    if isinstance(account, str) and account != "default":
        yield Thing("service account", account, item.ref.namespace)


def _class(spec: Any) -> Iterator[Thing]:
    name = spec.get("storageClassName")
    if isinstance(name, str) and name:
        yield Thing("storage class", name)


def _classes_in(values: Any) -> Iterator[Thing]:
    if isinstance(values, dict):
        for key, value in values.items():
            if key in {"storageClassName", "storageClass"} and isinstance(value, str) and value not in {"", "-"}:
                yield Thing("storage class", value)
            else:
                yield from _classes_in(value)
    elif isinstance(values, list):
        for value in values:
            yield from _classes_in(value)


def brought_by(item: Item) -> Iterator[Thing]:
    """What is there as soon as this object is applied."""
    ref = item.ref
    match ref.kind:
        case "Namespace":
            yield Thing("namespace", ref.name)
        case "StorageClass":
            yield Thing("storage class", ref.name)
        case "IngressClass":
            yield Thing("ingress class", ref.name)
        case "ClusterIssuer":
            yield Thing("issuer", ref.name)
        case "ServiceAccount":
            yield Thing("service account", ref.name, ref.namespace)
        case "CustomResourceDefinition":
            yield Thing("kind", f"{mapping(item.spec, 'names').get('kind')}.{item.spec.get('group')}")


def brought_when_ready(brings: Brings) -> Iterator[Thing]:
    """What is there once a release is ready, by the one shared table."""
    yield from (Thing("kind", kind) for kind in sorted(brings.crds))
    yield from (Thing("storage class", one) for one in sorted(brings.storage_classes))
    yield from (Thing("ingress class", one) for one in sorted(brings.ingress_classes))
