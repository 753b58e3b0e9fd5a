"""What objects need from the cluster and offer to it; from these the order is inferred (failures F1, U5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "CustomResourceDefinition",
    "Namespace",
    "StorageClass",
    "IngressClass",
    "Secret",
    "ServiceAccount",
    "ClusterIssuer",
    "Issuer",
    "Source",
]


@dataclass(frozen=True, slots=True, order=True)
class Capability:
    """Something usable. A CRD's name is `Kind.group`; a source's is `Kind/name`; only namespaced things have a namespace."""

    kind: Kind
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"
