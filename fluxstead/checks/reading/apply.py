"""How Flux applies a changed object, by what its annotations and its Kustomization say.

Source: fluxcd/kustomize-controller internal/controller/kustomization_controller.go (`apply`), fluxcd/pkg ssa/manager_apply.go:
annotations and labels count alike, in any case; with `force`, what the API server refuses as invalid is deleted and made anew.
"""

from __future__ import annotations

from fluxstead.checks.reading.applied_tree import KUSTOMIZE, AppliedObject, annotations_of, labels_of

FORCE = f"{KUSTOMIZE}/force"
_LEFT_ALONE = {(f"{KUSTOMIZE}/ssa", "ignore"), (f"{KUSTOMIZE}/ssa", "ifnotpresent"), (f"{KUSTOMIZE}/reconcile", "disabled")}


def is_left_alone(item: AppliedObject) -> bool:
    """Whether Flux changes nothing about an object that is there."""
    return bool(_marks(item) & _LEFT_ALONE)


def is_recreated(item: AppliedObject) -> bool:
    """Whether Flux deletes an object whose change is refused, and makes it anew."""
    return bool(item.kustomization.spec.get("force")) or (FORCE, "enabled") in _marks(item)


def _marks(item: AppliedObject) -> set[tuple[str, str]]:
    return {(str(key), str(value).lower()) for own in (labels_of(item), annotations_of(item)) for key, value in own.items()}
