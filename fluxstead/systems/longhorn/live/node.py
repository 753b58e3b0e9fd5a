"""Longhorn's Nodes and their disks, as facts (longhorn/longhorn-manager: k8s/pkg/apis/longhorn/v1beta2/node.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping, named
from fluxstead.live.conditions import Condition, conditions_of
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.live.rules.machines import subject_of
from fluxstead.live.trouble import Subject
from fluxstead.systems.longhorn.live.kinds import whole
from fluxstead.systems.longhorn.names import API


class Room(NamedTuple):
    """Bytes of a disk: its filesystem's, those kept for others, and those promised to volumes."""

    maximum: int
    reserved: int
    scheduled: int


class LiveDisk(NamedTuple):
    """A disk of a Node. `conditions`: by type. `copies`: how many copies of volumes and of images are placed on it."""

    name: str
    path: str
    uuid: str
    conditions: Mapping[str, Condition]
    room: Room
    copies: int


class LiveNode(NamedTuple):
    """Longhorn's Node, with the disks of its spec. `leaving`: whether it is being deleted."""

    name: str
    namespace: str
    disks: tuple[LiveDisk, ...]
    conditions: Mapping[str, Condition]
    leaving: bool

    @property
    def copies(self) -> int:
        """How many copies are placed on it."""
        return sum(disk.copies for disk in self.disks)


def _disk(name: str, declared: Mapping[str, Any], found: Mapping[str, Any]) -> LiveDisk:
    return LiveDisk(
        name,
        str(declared.get("path", "")),
        str(found.get("diskUUID") or ""),
        conditions_of(found),
        Room(whole(found.get("storageMaximum")), whole(declared.get("storageReserved")), whole(found.get("storageScheduled"))),
        len(mapping(found, "scheduledReplica")) + len(mapping(found, "scheduledBackingImage")),
    )


def _node(obj: Mapping[str, Any]) -> LiveNode:
    metadata, spec, status = (mapping(obj, key) for key in ("metadata", "spec", "status"))
    declared, found = mapping(spec, "disks"), mapping(status, "diskStatus")
    place = named(obj)
    return LiveNode(
        place.name,
        place.namespace,
        tuple(_disk(str(name), mapping(declared, name), mapping(found, name)) for name in declared),
        conditions_of(status),
        bool(metadata.get("deletionTimestamp")),
    )


NODE = Kind(Resource(API, "nodes"), _node)


def disk_subject(machine: str, disk: str) -> Subject:
    """A disk, as it is named everywhere."""
    return Subject("disk", f"{disk} of {machine}")


def disks_of(machine: str) -> Subject:
    """All disks of a machine together."""
    return Subject("disks of", machine)


def room_on(machine: str) -> Subject:
    """Whether its disks take another copy."""
    return Subject("room on", machine)


def manager_of(machine: str) -> Subject:
    """Longhorn's manager there."""
    return Subject("manager of", machine)


def node_subject(machine: str) -> Subject:
    """Longhorn's Node, beside Kubernetes'."""
    return Subject("node of Longhorn", machine)


def below(facts: ClusterFacts) -> tuple[Subject, ...]:
    """The machines that volumes live on; which of them a volume's copies are on is not asked."""
    return tuple(one for node in facts.of(NODE) for one in (subject_of(node.name), node_subject(node.name)))
