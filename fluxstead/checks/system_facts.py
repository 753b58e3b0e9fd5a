"""What systems tell the checks about themselves: their charts, where their volumes are, and kinds that only they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from fluxstead.catalog.brings import Brings
from fluxstead.catalog.chart import Chart, Charts
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.charts import chart_of
from fluxstead.checks.reading.values_from import values_of


class Storage(NamedTuple):
    """Storage that places volumes on disks that objects register: a class is usable with these, not with its own object (F1).

    `provisioner`: of its StorageClasses. `disks`: the kind that registers a machine's disks, as `Kind.group`. `data`: kinds whose
    objects are data themselves, which goes with them.
    """

    provisioner: str
    disks: str
    data: frozenset[str] = frozenset()


class RouteKind(NamedTuple):
    """A custom kind whose objects send requests to Services: `spec.<rules>[].<backends>[]`, of any of these API groups.

    `guards`: the key of a rule that names what is in front, such as what asks who it is; empty where a kind has none.
    """

    kind: str
    groups: frozenset[str]
    rules: str
    backends: str
    guards: str = ""


_GATEWAY_API = tuple(
    RouteKind(kind=kind, groups=frozenset({"gateway.networking.k8s.io"}), rules="rules", backends="backendRefs")
    for kind in ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")
)


@dataclass(frozen=True, kw_only=True)
class SystemFacts:
    """The sum of what all systems declare.

    `copies`: annotations by which a second Ingress may answer for the same path. `asking`: by ingress class, the annotations that
    put something in front that asks who it is.
    """

    charts: Charts
    storages: tuple[Storage, ...] = ()
    routes: tuple[RouteKind, ...] = ()
    copies: frozenset[str] = frozenset()
    asking: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def route_kinds(self) -> tuple[RouteKind, ...]:
        """Those of the systems, and those of the Gateway API, which no system owns."""
        return (*self.routes, *_GATEWAY_API)

    @property
    def inert_kinds(self) -> frozenset[str]:
        """Custom kinds whose objects create nothing that files do not show."""
        return self.charts.inert_kinds | {route.kind for route in self.route_kinds} | {"ReferenceGrant"}

    def chart(self, tree: AppliedTree, release: AppliedObject) -> Chart:
        """The chart of a HelmRelease."""
        return self.charts[chart_of(tree, release)[0]]

    def brings(self, tree: AppliedTree, release: AppliedObject) -> Brings | None:
        """What a release brings with its values; None where that is not known."""
        return self.with_values(tree, release) if self.charts.brings(*chart_of(tree, release)) else None

    def with_values(self, tree: AppliedTree, release: AppliedObject) -> Brings:
        """What a release brings with its values, whatever its version; for an unknown version, only what the values say."""
        name, version = chart_of(tree, release)
        return self.charts[name].with_values(self.charts.brings(name, version) or Brings(), values_of(tree, release).certain)

    @cached_property
    def _disks(self) -> frozenset[tuple[str, str]]:
        return frozenset((kind, group) for kind, _, group in (storage.disks.partition(".") for storage in self.storages))

    @cached_property
    def _provisioners(self) -> list[str]:
        return [storage.provisioner for storage in self.storages]

    def registers_disks(self, item: AppliedObject) -> bool:
        """Whether this registers a machine's disks with its storage."""
        return (item.ref.kind, item.ref.group) in self._disks

    @cached_property
    def _data(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (kind, group) for storage in self.storages for kind, _, group in (one.partition(".") for one in storage.data)
        )

    def is_data(self, item: AppliedObject) -> bool:
        """Whether data goes with this object: a claim, or what a storage keeps instead."""
        return item.ref.kind == "PersistentVolumeClaim" or (item.ref.kind, item.ref.group) in self._data

    def is_placed_on_disks(self, item: AppliedObject) -> bool:
        """Whether this is a StorageClass whose volumes are placed on registered disks."""
        return item.ref.kind == "StorageClass" and item.object.get("provisioner") in self._provisioners

    def disk_objects(self, tree: AppliedTree) -> list[AppliedObject]:
        """What registers machines' disks in a tree."""
        return [item for kind in {kind for kind, _ in self._disks} for item in tree.of(kind) if self.registers_disks(item)]
