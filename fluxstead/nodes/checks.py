"""Rules over all machines together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.core.network import IpAddress, IpNetwork
from fluxstead.nodes import marks, registration
from fluxstead.nodes.marks import Mark
from fluxstead.nodes.model import Node

ADDRESS_OUTSIDE = refuses("nodes/address-outside", "U7", "10.0.0.1 is not a host address in 192.168.86.0/24", "the description")
ADDRESS_TWICE = refuses("nodes/address-twice", "U7", "k3s2 has the address of k3s1 (nodes/k3s1.yaml:3)", "the description")
DISK_INSIDE_DISK = refuses("nodes/disk-inside-disk", "F13", "/mnt/a/b lies on disk 'a' at /mnt/a", "the description")
DISK_TWICE = refuses(
    "nodes/disk-twice", "F13", "mountPath '/mnt/disks/sdf1' is already declared at nodes/k3s1.yaml:15", "the description"
)
NO_SERVER = refuses("nodes/no-server", "U7", "no live node is a server", "the description")
UNUSABLE_ADDRESS = refuses("nodes/unusable-address", "U7", "no machine can be reached at 127.0.0.1", "the description")
_POINT_TO_POINT = 2
"""In networks of so few addresses, each is a host's (RFC 3021)."""
CHECKS = (ADDRESS_OUTSIDE, ADDRESS_TWICE, DISK_INSIDE_DISK, DISK_TWICE, NO_SERVER, UNUSABLE_ADDRESS)


def findings_of(nodes: Sequence[Node], networks: Sequence[IpNetwork], elsewhere: Sequence[Mark]) -> Iterator[Finding]:
    """Addresses that cannot be right, and disks that are declared twice. `elsewhere`: what machines of other clusters have."""
    yield from _a_server(nodes)
    yield from _addresses(nodes, networks)
    yield from _disks(nodes)
    yield from registration.findings_of(nodes)
    yield from marks.findings_of(nodes, elsewhere)


def _a_server(nodes: Sequence[Node]) -> Iterator[Finding]:
    if not any(node.role == "server" and node.state == "live" for node in nodes):
        yield NO_SERVER(
            nodes[0].source_of("role") if nodes else Source("nodes"),
            what="no live node is a server" if nodes else "no machine in nodes/ belongs to this cluster",
            why="without a control plane there is no cluster that could read the tree",
            fix="role: server and state: live in the file of the first machine"
            if nodes
            else "a file nodes/<name>.yaml for each machine, with the stack's name as `cluster`; `./run hosts discover` makes one",
        )


def _addresses(nodes: Sequence[Node], networks: Sequence[IpNetwork]) -> Iterator[Finding]:
    owners: dict[IpAddress, Node] = {}
    for node in nodes:
        source = node.source_of("address")
        address = node.address
        first = owners.setdefault(address, node)
        if first is not node:
            yield ADDRESS_TWICE(
                source,
                what=f"{node.name} has the address of {first.name} ({first.source_of('address')})",
                why="one of the two machines could not be reached, and the other be prepared in its place",
                fix="the machine's own address",
            )
        if address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local:
            yield UNUSABLE_ADDRESS(
                source,
                what=f"no machine can be reached at {address}",
                why="k3s would announce it to the other nodes as this one's address",
                fix="the machine's address in the nodes' network",
            )
        elif networks and not any(_is_host_in(address, network) for network in networks):
            yield ADDRESS_OUTSIDE(
                source,
                what=f"{address} is not a host address in {_listed(networks)}",
                why="the stack file says that all nodes are in that network",
                fix=f"an address of {_listed(networks)}, or another nodeCidr in the stack file",
            )


def _is_host_in(address: IpAddress, network: IpNetwork) -> bool:
    ends = {network.network_address, network.broadcast_address} if network.num_addresses > _POINT_TO_POINT else set()
    return address in network and address not in ends


def _listed(networks: Sequence[IpNetwork]) -> str:
    return " or ".join(map(str, networks))


def _disks(nodes: Sequence[Node]) -> Iterator[Finding]:
    for node in nodes:
        seen: dict[tuple[str, str], int] = {}
        for index, disk in enumerate(node.disks):
            names = (("name", disk.name), ("mountPath", disk.mount_path), ("device", disk.device))
            for key, value in (*names, ("serial", disk.serial), ("wwn", disk.wwn)):
                first = seen.setdefault((key, value), index) if value else index
                if value and first != index:
                    yield _twice(node, index, key, value, str(node.source_of("disks", first, key)))
        yield from _nested(node)


def _nested(node: Node) -> Iterator[Finding]:
    paths = {disk.mount_path: disk for disk in node.disks}
    for index, disk in enumerate(node.disks):
        parent = disk.mount_path
        while (parent := parent.rpartition("/")[0]) and parent not in paths:
            pass
        if parent:
            yield DISK_INSIDE_DISK(
                node.source_of("disks", index, "mountPath"),
                what=f"{disk.mount_path} lies on disk {paths[parent].name!r} at {parent}",
                why="Longhorn would count one disk's space for two (F13)",
                fix="a path of its own for each disk",
            )


def _twice(node: Node, index: int, key: str, value: str, first: str) -> Finding:
    return DISK_TWICE(
        node.source_of("disks", index, key),
        what=f"{key} {value!r} is already declared at {first}",
        why="a disk that is registered twice locks Longhorn's UI and loses one of the two (F13)",
        fix=f"each disk once, with its own {key}",
    )
