"""What objects need from the cluster and offer to it: other objects, and kinds that the API server serves (failures F1, U5)."""

from __future__ import annotations

from typing import NamedTuple

from fluxstead.core.manifest import ObjectRef


class GroupKind(NamedTuple):
    """A kind in any version, as a CustomResourceDefinition adds it to the API server."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"kind {self.kind}.{self.group}"


Requirement = ObjectRef | GroupKind
"""Something that the cluster has or has not."""


def namespace(name: str) -> ObjectRef:
    """A Namespace."""
    return ObjectRef("", "Namespace", "", name)


def storage_class(name: str) -> ObjectRef:
    """A StorageClass."""
    return ObjectRef("storage.k8s.io", "StorageClass", "", name)


def ingress_class(name: str) -> ObjectRef:
    """An IngressClass."""
    return ObjectRef("networking.k8s.io", "IngressClass", "", name)


def secret(where: str, name: str) -> ObjectRef:
    """A Secret in the namespace `where`."""
    return ObjectRef("", "Secret", where, name)


def service_account(where: str, name: str) -> ObjectRef:
    """A ServiceAccount in the namespace `where`."""
    return ObjectRef("", "ServiceAccount", where, name)
