"""What objects need from the cluster and offer to it: other objects, and kinds that the API server serves (failures F1, U5)."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from fluxstead.core.manifest import ObjectRef
from fluxstead.core.refusal import refuse


class GroupKind(NamedTuple):
    """A kind in any version, as a CustomResourceDefinition adds it to the API server."""

    group: str
    kind: str

    @property
    def name(self) -> str:
        """As a description has it: `Certificate.cert-manager.io`."""
        return f"{self.kind}.{self.group}"

    @staticmethod
    def of(name: str) -> GroupKind:
        """The one of this name."""
        kind, _, group = name.partition(".")
        return GroupKind(group, kind)

    def __str__(self) -> str:
        return f"kind {self.name}"


Requirement = ObjectRef | GroupKind
"""Something that the cluster has or has not."""


def _kind_name(value: str) -> str:
    if re.fullmatch(r"[A-Z][A-Za-z0-9]*(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)+", value):
        return value
    raise refuse(
        f"{value!r} is not a kind and its API group",
        why="no object's kind is called that, and what needs it would be refused all the same",
        fix="the kind as manifests write it, a dot and the group: Certificate.cert-manager.io for certificates.cert-manager.io",
    )


KindName = Annotated[str, AfterValidator(_kind_name)]
"""A custom kind, as `Kind.group`."""


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
