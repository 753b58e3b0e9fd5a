"""Networks that overlap, and versions that were not made for each other: the cluster as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding

NODE_INSIDE = refuses(
    "network/node-inside", "U7", "k3s1 has the address 10.42.0.5, which lies in podCidr 10.42.0.0/16", "the description"
)
OVERLAPPING_NETWORKS = refuses(
    "network/overlap", "U7", "podCidr 10.42.0.0/16 and nodeCidr 10.0.0.0/8 share addresses", "the description"
)
UNTESTED_TOGETHER = warns(
    "versions/compatibility", "F6", "Flux 2.6.1 is tested with Kubernetes 1.31 to 1.33, not with v1.36.3+k3s1", "the description"
)

_TESTED = {(2, 6): (31, 33), (2, 7): (32, 34), (2, 8): (33, 35), (2, 9): (34, 36)}
"""The Kubernetes minors that each Flux minor is tested with (fluxcd.io, the announcements of the releases)."""


def overlaps(context: CheckContext) -> Iterator[Finding]:
    """Networks of nodes, pods and Services that share addresses, and machines inside the cluster's own networks."""
    for (one, first), (other, second) in itertools.combinations(context.networks.items(), 2):
        if first.version == second.version and first.overlaps(second):
            yield OVERLAPPING_NETWORKS(
                context.places[other],
                what=f"{other} {second} and {one} {first} share addresses",
                why="packets for one of them end up in the other",
                fix="networks that do not overlap, such as k3s's own 10.42.0.0/16 for pods and 10.43.0.0/16 for Services",
            )
    inside = [(key, network) for key, network in context.networks.items() if key != "nodeCidr"]
    for node in context.nodes:
        for key, network in inside:
            if node.address in network:
                yield NODE_INSIDE(
                    node.source_of("address"),
                    what=f"{node.name} has the address {node.address}, which lies in {key} {network}",
                    why="the other machines would look for it among the pods and Services",
                    fix=f"an address outside {network}",
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
    Rule(compatibility, (UNTESTED_TOGETHER,)),
)
