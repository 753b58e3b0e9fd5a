"""Kubernetes objects as the tree holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fluxstead.core.findings import Source

KEEP = {"kustomize.toolkit.fluxcd.io/prune": "disabled"}
"""The annotation that keeps an object when it leaves the tree (failures F18, F27, U10)."""


class ObjectRef(NamedTuple):
    """The identity of one object: API group, kind, namespace (empty for cluster-wide ones) and name."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def qualified_name(self) -> str:
        """Its name, behind its namespace where it has one."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        # Groups that everybody knows add nothing; others tell Longhorn's Node from Kubernetes' own.
        known = "." not in self.group or self.group.endswith((".k8s.io", ".toolkit.fluxcd.io"))
        kind = self.kind if known else f"{self.kind}.{self.group}"
        return f"{kind} {self.qualified_name}"


def ref_of(obj: Mapping[str, Any]) -> ObjectRef:
    """The identity of an object with a kind and a name."""
    metadata = obj["metadata"]
    return ObjectRef(group_of(obj["apiVersion"]), obj["kind"], metadata.get("namespace", ""), metadata["name"])


def group_of(api_version: str) -> str:
    """The API group in `apiVersion`; empty for core."""
    return api_version.partition("/")[0] if "/" in api_version else ""


class Manifest(NamedTuple):
    """One object, as plain data in the order in which people write it, and where in the description it comes from."""

    object: Mapping[str, Any]
    source: Source

    @property
    def ref(self) -> ObjectRef:
        """The object's identity."""
        return ref_of(self.object)
