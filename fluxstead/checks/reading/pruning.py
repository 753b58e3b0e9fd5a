"""What Flux deletes, once what applied it does not list it any more."""

from __future__ import annotations

from fluxstead.checks.reading.applied_tree import (
    PRUNE,
    AppliedObject,
    AppliedTree,
    FluxKustomization,
    annotation,
    reconciles_itself,
)
from fluxstead.core.shape import mapping


def would_be_pruned(old: AppliedObject, now: AppliedTree) -> bool:
    """Whether Flux deletes the object once the Kustomization that applied it does not list it any more.

    Flux reads the annotation on the live object, so only what was committed before counts.
    """
    if annotation(old, PRUNE) == "disabled":
        return False
    if _gone(old.kustomization, now):
        return _deletes_with_it(old.kustomization)
    own = old.kustomization.spec if old.kustomization.document is not None else reconciles_itself(old.kustomization)
    return bool(own.get("prune"))


def _gone(kustomization: FluxKustomization, now: AppliedTree) -> bool:
    return kustomization.document is not None and kustomization.ref not in now.kustomizations


def _deletes_with_it(kustomization: FluxKustomization) -> bool:
    """Whether the Kustomization's own deletion takes what it applied with it (its `deletionPolicy`), and happens at all."""
    policy = kustomization.spec.get("deletionPolicy", "MirrorPrune")
    kept = (
        mapping(mapping(kustomization.document.data, "metadata"), "annotations").get(PRUNE) == "disabled"
        if kustomization.document
        else True
    )
    return not kept and policy != "Orphan" and (policy != "MirrorPrune" or bool(kustomization.spec.get("prune")))
