"""The types of the tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fluxstead.core.requirement import GroupKind
from fluxstead.core.version import Version


class Brings(NamedTuple):
    """What is there once a chart, or k3s, is ready."""

    crds: frozenset[GroupKind] = frozenset()
    storage_classes: frozenset[str] = frozenset()
    default_storage_class: str | None = None
    ingress_classes: frozenset[str] = frozenset()
    default_ingress_class: str | None = None
    priority_classes: frozenset[str] = frozenset()

    def __or__(self, other: Brings) -> Brings:
        """Both together."""
        return Brings(
            crds=self.crds | other.crds,
            storage_classes=self.storage_classes | other.storage_classes,
            default_storage_class=self.default_storage_class or other.default_storage_class,
            ingress_classes=self.ingress_classes | other.ingress_classes,
            default_ingress_class=self.default_ingress_class or other.default_ingress_class,
            priority_classes=self.priority_classes | other.priority_classes,
        )


class Part(NamedTuple):
    """What the versions from `since` up to, not including, `until` bring."""

    since: tuple[int, ...]
    brings: Brings
    until: tuple[int, ...] | None = None


def of_version(version: Version, parts: Iterable[Part]) -> Brings | None:
    """All parts that a version has, as one; None where it has none."""
    combined: Brings | None = None
    for part in parts:
        if part.since <= version.numbers and (part.until is None or version.numbers < part.until):
            combined = part.brings if combined is None else combined | part.brings
    return combined


def kinds(group: str, names: str) -> frozenset[GroupKind]:
    """Kinds of one group, from their names separated by spaces."""
    return frozenset(GroupKind(group, name) for name in names.split())
