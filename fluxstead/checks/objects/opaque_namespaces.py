"""Namespaces in which a chart or an operator may create objects that no file shows."""

from __future__ import annotations

from collections import defaultdict

from fluxstead.catalog.kinds import BUILT_IN_GROUPS
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree, FluxKustomization
from fluxstead.core.platform import FLUX_NAMESPACE

_OF_THE_CLUSTER = frozenset({"kube-system", FLUX_NAMESPACE})
"""Where k3s and Flux have their own objects."""


class OpaqueNamespaces:
    """Read once from a tree, so that each question is one lookup."""

    def __init__(self, tree: AppliedTree, inert_kinds: frozenset[str]) -> None:
        self._creators: dict[str, list[AppliedObject | FluxKustomization]] = defaultdict(list)
        for item in tree.objects:
            if item.ref.kind in {"HelmRelease", "HelmChart"}:
                self._creators[str(item.spec.get("targetNamespace") or item.ref.namespace)].append(item)
            elif item.ref.namespace and item.ref.kind not in inert_kinds and is_custom(item):
                self._creators[item.ref.namespace].append(item)
        for kustomization in tree.kustomizations.values():
            if not kustomization.has_final_names:
                for namespace in {item.ref.namespace for item in kustomization.objects}:
                    self._creators[namespace].append(kustomization)
            if kustomization.elsewhere and "targetNamespace" in kustomization.spec:
                self._creators[str(kustomization.spec["targetNamespace"])].append(kustomization)

    def __contains__(self, namespace: str) -> bool:
        """Whether the namespace may hold more than files show."""
        return namespace in self._creators or namespace in _OF_THE_CLUSTER

    @property
    def exist(self) -> bool:
        """Whether anything in the tree may create what no file shows."""
        return bool(self._creators)

    def is_opaque_without(self, item: AppliedObject, namespace: str) -> bool:
        """Whether something other than this object may create what no file shows; a release cannot create what it needs itself."""
        return any(maker is not item for maker in self._creators.get(namespace, ()))


def is_custom(item: AppliedObject) -> bool:
    """Whether an operator looks after the object: what the API server and Flux serve creates nothing but pods."""
    return item.ref.group not in BUILT_IN_GROUPS and not item.ref.group.endswith(".toolkit.fluxcd.io")
