"""Which objects have volumes in their namespace: claims, and what creates claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxstead.catalog.references import CLASSES, NO_CLASS
from fluxstead.checks.objects.opaque_namespaces import is_custom
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.values_from import values_of
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.core.shape import entries_of, mapping

_TEMPLATES = frozenset({"volumeClaimTemplate", "volumeClaimTemplates", "pvcTemplate"})


def volumes_by_namespace(facts: SystemFacts, tree: AppliedTree) -> dict[str, AppliedObject]:
    """The first object with volumes in each namespace."""
    return {_namespace_of(item): item for item in reversed(tree.objects) if _has_volumes(facts, tree, item)}


def _namespace_of(item: AppliedObject) -> str:
    """Where the volumes of an object are."""
    target = item.spec.get("targetNamespace") if item.ref.kind == "HelmRelease" else None
    return str(target or item.ref.namespace)


def _has_volumes(facts: SystemFacts, tree: AppliedTree, item: AppliedObject) -> bool:
    """Whether data depends on the object's namespace. A chart that creates claims without a trace in its values goes unseen."""
    if item.ref.kind == "HelmRelease":
        return bool(facts.chart(tree, item).holds_volumes) or asks_for_claims(values_of(tree, item).certain)
    if item.ref.kind == "StatefulSet":
        return bool(item.spec.get("volumeClaimTemplates"))
    # Kubernetes' own kinds also ask for volumes that end with their pods (`ephemeral`).
    return facts.is_data(item) or facts.registers_disks(item) or (is_custom(item) and asks_for_claims(item.spec))


def claims_of(pod: Mapping[str, Any]) -> dict[str, str]:
    """The claims of a pod's spec, by the names of the volumes that they are."""
    held = (
        (volume.get("name"), mapping(volume, "persistentVolumeClaim").get("claimName")) for volume in entries_of(pod, "volumes")
    )
    return {str(name): claim for name, claim in held if isinstance(claim, str)}


def asks_for_claims(value: Any) -> bool:
    """Whether a claim is asked for anywhere in a spec, or in a chart's values."""
    if isinstance(value, Mapping):
        if value.get("enabled") is False:
            return False
        own = any(_is_claim(key, found) for key, found in value.items())
        return own or any(asks_for_claims(found) for found in value.values())
    return isinstance(value, list) and any(asks_for_claims(found) for found in value)


def _is_claim(key: str, value: Any) -> bool:
    if key == "existingClaim":
        return isinstance(value, str) and bool(value)
    if key == "persistence" and isinstance(value, Mapping):
        return value.get("enabled") is True and value.get("type", "pvc") in ("pvc", "statefulset", "persistentVolumeClaim")
    return bool(value) if key in _TEMPLATES else key in CLASSES and isinstance(value, str) and value not in NO_CLASS
