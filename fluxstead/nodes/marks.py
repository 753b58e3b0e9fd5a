"""What only one machine can have: the address that it is dialled at, its disks' serials and World Wide Names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.shape import mapping
from fluxstead.nodes.model import SSH_PORT, Node

DIALLED_TWICE = refuses("nodes/dialled-twice", "U2", "k3s2 is dialled at 192.168.86.71, as k3s1 is", "the description")
IN_TWO_CLUSTERS = warns(
    "nodes/address-in-two-clusters", "U2", "k3s1 has the address of nodes/edge1.yaml:3, of another cluster", "the description"
)
ONE_DISK_IN_TWO = refuses("nodes/disk-in-two-machines", "F13", "the disk with serial S1 is in k3s1 and in k3s2", "the description")
CHECKS = (DIALLED_TWICE, IN_TWO_CLUSTERS, ONE_DISK_IN_TWO)

_OF_HYPERVISORS = re.compile(r"drive-(?:scsi|sata|ide|virtio)\d+|QM\d+")
"""Serials that QEMU gives to the disks of each of its machines alike."""


class Mark(NamedTuple):
    """One of them: what it is, whose, and where it is written."""

    kind: str
    value: str
    machine: str
    source: Source


def marks_of(node: Node) -> Iterator[Mark]:
    """Those of a machine of this cluster."""
    jump = node.ssh.jump
    key = ("ssh", "address") if node.ssh.address else ("address",)
    yield Mark("address", _dialled(node.dialled_at, node.ssh.port, jump.address if jump else None), node.name, node.source_of(*key))
    for index, disk in enumerate(node.disks):
        for kind, value in (("serial", disk.serial), ("wwn", disk.wwn)):
            if value:
                yield Mark(kind, value, node.name, node.source_of("disks", index, kind))


def _dialled(address: object, port: object, jump: object) -> str:
    return f"{address} port {port}{f' through {jump}' if jump else ''}"


def marks_in(data: Mapping[str, Any], name: str, at: Mapping[tuple[str | int, ...], int]) -> Iterator[Mark]:
    """Those of a machine of another cluster, of whose file only this is read. `at`: the lines of its keys."""
    if data.get("state") == "leaving":  # it may be on its way here
        return
    file, ssh = f"nodes/{name}.yaml", mapping(data, "ssh")
    address = ssh.get("address") or data.get("address")
    jump = mapping(ssh, "jump").get("address")
    if isinstance(address, str):
        line = at.get(("ssh", "address"), at.get(("address",), 1))
        yield Mark("address", _dialled(address, ssh.get("port", SSH_PORT), jump), name, Source(file, line))
    disks = data.get("disks")
    for index, disk in enumerate(disks if isinstance(disks, list) else ()):
        for kind in ("serial", "wwn"):
            value = disk.get(kind) if isinstance(disk, Mapping) else None
            if isinstance(value, str):
                yield Mark(kind, value, name, Source(file, at.get(("disks", index, kind), 1)))


def findings_of(nodes: Sequence[Node], elsewhere: Sequence[Mark]) -> Iterator[Finding]:
    """What two machines have, of any cluster of the repository. What is on one machine twice is told with its disks."""
    first = {(mark.kind, mark.value): mark for mark in elsewhere}
    others = {mark.source for mark in elsewhere}
    own = {node.name: node.address for node in nodes}
    for mark in (mark for node in nodes for mark in marks_of(node)):
        if _OF_HYPERVISORS.fullmatch(mark.value):
            continue
        other = first.setdefault((mark.kind, mark.value), mark)
        if other.machine == mark.machine and other.source not in others:
            continue
        if mark.kind != "address":
            yield _one_disk(mark, other)
        elif other.source in others:
            yield IN_TWO_CLUSTERS(
                mark.source,
                what=f"{mark.machine} is dialled at {mark.value}, as {other.machine} of another cluster is ({other.source})",
                why="where both are reached from, one of the two would be prepared in the other's place",
                fix="each machine's own address; a jump host, where each has a network of its own",
            )
        elif own[mark.machine] != own[other.machine]:  # else their addresses are the same, which is told of these
            yield DIALLED_TWICE(
                mark.source,
                what=f"{mark.machine} is dialled at {mark.value}, as {other.machine} is ({other.source})",
                why="one of the two would be prepared, and its disks formatted, in the other's place",
                fix="ssh.address: each machine's own",
            )


def _one_disk(mark: Mark, other: Mark) -> Finding:
    return ONE_DISK_IN_TWO(
        mark.source,
        what=f"the disk with {mark.kind} {mark.value} is in {mark.machine} and in {other.machine} ({other.source})",
        why="a disk is in one machine only, so the other one's would never be found, or a wrong one be taken for it",
        fix=f"each disk's own {mark.kind}, from `lsblk -o NAME,SERIAL,WWN`; a disk that moved, in its new machine only",
    )
