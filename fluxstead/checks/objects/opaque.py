"""Namespaces in which a chart or an operator may create objects that no file shows."""

from __future__ import annotations

from collections import defaultdict

from fluxstead.catalog.kinds import BUILT_IN_GROUPS
from fluxstead.checks.reading.view import Item, Unit, View
from fluxstead.core.platform import FLUX_NAMESPACE

_OF_THE_CLUSTER = frozenset({"kube-system", FLUX_NAMESPACE})
"""Where k3s and Flux have their own objects."""


class Opaque:
    """Read once from a tree, so that each question is one lookup."""

    def __init__(self, view: View, inert_kinds: frozenset[str]) -> None:
        self._makers: dict[str, list[Item | Unit]] = defaultdict(list)
        for item in view.items:
            if item.ref.kind in {"HelmRelease", "HelmChart"}:
                self._makers[str(item.spec.get("targetNamespace") or item.ref.namespace)].append(item)
            elif item.ref.namespace and item.ref.kind not in inert_kinds and is_custom(item):
                self._makers[item.ref.namespace].append(item)
        for unit in view.units.values():
            if not unit.exact:
                for namespace in {item.ref.namespace for item in unit.items}:
                    self._makers[namespace].append(unit)
            if unit.elsewhere and "targetNamespace" in unit.spec:
                self._makers[str(unit.spec["targetNamespace"])].append(unit)

    def __contains__(self, namespace: str) -> bool:
        """Whether the namespace may hold more than files show."""
        return namespace in self._makers or namespace in _OF_THE_CLUSTER

    @property
    def anywhere(self) -> bool:
        """Whether anything in the tree may create what no file shows."""
        return bool(self._makers)

    def apart_from(self, item: Item, namespace: str) -> bool:
        """Whether something other than this object may create what no file shows; a release cannot create what it needs itself."""
        return any(maker is not item for maker in self._makers.get(namespace, ()))


def is_custom(item: Item) -> bool:
    """Whether an operator looks after the object: what the API server and Flux serve makes nothing but pods."""
    return item.ref.group not in BUILT_IN_GROUPS and not item.ref.group.endswith(".toolkit.fluxcd.io")
