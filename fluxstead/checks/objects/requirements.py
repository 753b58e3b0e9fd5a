"""What written objects need from a cluster and bring to it, for the cold start alone.

Separate on purpose from the table of what names what, by which the order is inferred: the cold start proves that order, and shares
with it only outside facts: what chart versions bring, which groups the API server serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fluxstead.catalog.brings import Brings
from fluxstead.catalog.kinds import BUILT_IN_GROUPS, pod_in
from fluxstead.checks.reading.applied_tree import AppliedObject, annotation
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.requirement import GroupKind, Requirement, ingress_class, namespace, service_account, storage_class
from fluxstead.core.shape import entries_of, mapping


def is_needed_to_apply(need: Requirement) -> bool:
    """Whether the API server refuses what needs it until it is there; else the object is only not ready."""
    return isinstance(need, GroupKind) or need.kind == "Namespace"


def requirements_of(item: AppliedObject) -> Iterator[Requirement]:
    """What has to be there before this object can be applied, or be ready."""
    ref = item.ref
    if ref.group not in BUILT_IN_GROUPS:
        yield GroupKind(ref.group, ref.kind)
    if ref.namespace:
        yield namespace(ref.namespace)
    yield from _later(item)
    if ref.group in {"", "apps", "batch"}:
        yield from _by_pod(item)


def _later(item: AppliedObject) -> Iterator[Requirement]:
    """What it can be applied without, but not be ready without."""
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
            if isinstance(name, str):
                yield ingress_class(name)
            if issuer:
                yield _issuer(issuer)
        case "Certificate":
            reference = mapping(item.spec, "issuerRef")
            if reference.get("kind") == "ClusterIssuer":
                yield _issuer(str(reference.get("name")))


def _by_pod(item: AppliedObject) -> Iterator[Requirement]:
    pod = pod_in(item.object)
    spec = mapping(pod, "spec") if pod is not None else {}
    account = spec.get("serviceAccountName")
    if isinstance(account, str) and account != "default":
        yield service_account(item.ref.namespace, account)


def _class(spec: Any) -> Iterator[Requirement]:
    name = spec.get("storageClassName")
    if isinstance(name, str) and name:
        yield storage_class(name)


def _classes_in(values: Any) -> Iterator[Requirement]:
    if isinstance(values, dict):
        for key, value in values.items():
            if key in {"storageClassName", "storageClass"} and isinstance(value, str) and value not in {"", "-"}:
                yield storage_class(value)
            else:
                yield from _classes_in(value)
    elif isinstance(values, list):
        for value in values:
            yield from _classes_in(value)


def provided_by(item: AppliedObject) -> Iterator[Requirement]:
    """What is there as soon as this object is applied."""
    yield item.ref
    if item.ref.kind == "CustomResourceDefinition":
        yield GroupKind(str(item.spec.get("group")), str(mapping(item.spec, "names").get("kind")))


def provided_when_ready(brings: Brings) -> Iterator[Requirement]:
    """What is there once a release is ready, by the one shared table."""
    yield from sorted(brings.crds)
    yield from map(storage_class, sorted(brings.storage_classes))
    yield from map(ingress_class, sorted(brings.ingress_classes))


def _issuer(name: str) -> ObjectRef:
    return ObjectRef("cert-manager.io", "ClusterIssuer", "", name)
