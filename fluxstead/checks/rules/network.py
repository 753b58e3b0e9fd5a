"""Networks that overlap, and versions that were not made for each other: the cluster as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from fluxstead.checks.context import CheckContext
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, counted
from fluxstead.core.network import IpNetwork

NODE_INSIDE = refuses(
    "network/node-inside", "U7", "k3s1 has the address 10.42.0.5, which lies in podCidr 10.42.0.0/16", "the description"
)
MIXED_FAMILIES = refuses("network/families", "U7", "k3s1 has IPv6, and pods IPv4", "the description")
OVERLAPPING_NETWORKS = refuses(
    "network/overlap", "U7", "podCidr 10.42.0.0/16 and nodeCidr 10.0.0.0/8 share addresses", "the description"
)
TOO_FEW_PARTS = warns(
    "network/pod-cidr-too-small", "U7", "podCidr 10.42.0.0/23 has room for 2 nodes, and 3 are described", "the description"
)
UNTESTED_TOGETHER = warns(
    "versions/compatibility", "F6", "Flux 2.6.1 is tested with Kubernetes 1.31 to 1.33, not with v1.36.3+k3s1", "the description"
)

_PART_OF_A_NODE = {4: 24, 6: 64}
_TESTED = {(2, 6): (31, 33), (2, 7): (32, 34), (2, 8): (33, 35), (2, 9): (34, 36)}
"""The Kubernetes minors that each Flux minor is tested with (fluxcd.io, the announcements of the releases)."""


def overlaps(context: CheckContext) -> Iterator[Finding]:
    """Networks of nodes, pods and Services that share addresses, and machines inside the cluster's own networks."""
    every = [(key, network) for key, networks in context.networks.items() for network in networks]
    for (one, first), (other, second) in itertools.combinations(every, 2):
        if first.version == second.version and first.overlaps(second):
            yield OVERLAPPING_NETWORKS(
                context.places[other],
                what=f"{other} {second} and {one} {first} share addresses",
                why="packets for one of them end up in the other",
                fix="networks that do not overlap, such as k3s's own 10.42.0.0/16 for pods and 10.43.0.0/16 for Services",
            )
    inside = [(key, network) for key, network in every if key != "nodeCidr"]
    for node in context.nodes:
        for key, network in inside:
            if node.address in network:
                yield NODE_INSIDE(
                    node.source_of("address"),
                    what=f"{node.name} has the address {node.address}, which lies in {key} {network}",
                    why="the other machines would look for it among the pods and Services",
                    fix=f"an address outside {network}",
                )


def families(context: CheckContext) -> Iterator[Finding]:
    """Families of addresses: k3s starts only where its networks and its nodes have the same ones."""
    pods, services = (_families(context.networks.get(key, ())) for key in ("podCidr", "serviceCidr"))
    if pods and services and pods != services:
        yield MIXED_FAMILIES(
            context.places["serviceCidr"],
            what=f"pods have {_named(pods)}, and Services {_named(services)}",
            why="k3s does not start: both networks have to be of the same families",
            fix="a serviceCidr of the same families, such as 10.43.0.0/16,fd00:43::/112 for both",
        )
    for node in context.nodes if pods else ():
        own: set[int] = {address.version for address in (node.address, node.second_address) if address}
        if own != pods:
            yield MIXED_FAMILIES(
                node.source_of("address"),
                what=f"{node.name} has {_named(own)}, and pods {_named(pods)}",
                why="k3s does not start on it: a node's address and the cluster's networks have to be of the same families",
                fix=f"an address of {_named(pods)}, as address{' and secondAddress' if len(pods) > 1 else ''}",
            )


def _families(networks: Sequence[IpNetwork]) -> set[int]:
    return {network.version for network in networks}


def _named(families: set[int]) -> str:
    return " and ".join(f"IPv{family}" for family in sorted(families))


def room(context: CheckContext) -> Iterator[Finding]:
    """A network of pods with a part for each node (kubernetes: cmd/kube-controller-manager, --node-cidr-mask-size)."""
    nodes = sum(node.state != "leaving" for node in context.nodes)
    for network in context.networks.get("podCidr", ()):
        mask = _PART_OF_A_NODE[network.version]
        parts = 2 ** (mask - network.prefixlen) if network.prefixlen <= mask else 0
        if nodes > parts:
            yield TOO_FEW_PARTS(
                context.places["podCidr"],
                what=f"podCidr {network} has room for {counted(parts, 'node')}, and {nodes} are described",
                why=f"each node takes a /{mask} of it by default; one without gets no pods that need an address",
                fix=f"a network of at least /{mask - (nodes - 1).bit_length()}; or another --node-cidr-mask-size",
            )


def compatibility(context: CheckContext) -> Iterator[Finding]:
    """The Kubernetes version against those that Flux is tested with."""
    platform = context.platform
    if platform is None:
        return
    kubernetes, flux = platform.kubernetes.minor, platform.flux.minor
    tested = _TESTED.get(flux)
    if tested and not tested[0] <= kubernetes[1] <= tested[1]:
        yield UNTESTED_TOGETHER(
            context.places["version"],
            what=f"Flux {platform.flux} is tested with Kubernetes 1.{tested[0]} to 1.{tested[1]}, not with {platform.kubernetes}",
            why="nobody tests other combinations (fluxcd.io, release announcements)",
            fix=f"a k3s release from 1.{tested[0]} to 1.{tested[1]}, or a matching Flux release",
        )


RULES = (
    Rule(overlaps, (NODE_INSIDE, OVERLAPPING_NETWORKS)),
    Rule(families, (MIXED_FAMILIES,)),
    Rule(room, (TOO_FEW_PARTS,)),
    Rule(compatibility, (UNTESTED_TOGETHER,)),
)
