"""The rules for ways in that are not the ingress controller's: ports of the machines that lead to an application."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.catalog.nearest import nearest
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.platform import Platform
from fluxstead.nodes.model import Node
from fluxstead.systems.applications.inside import NO_SUCH_PORT, PORT_TWICE
from fluxstead.systems.applications.instance import Instance
from fluxstead.systems.applications.rights import ways_of
from fluxstead.systems.applications.settings import Peer

ANSWERS_AT_ONE = warns(
    "applications/answers-at-one-machine",
    "F21",
    "`mqtt-prod` answers only at the machine that runs it, and 3 may",
    "the description",
)
NO_WAY_IN = warns(
    "applications/no-way-in", "F21", "`mqtt-prod` lets 192.168.0.0/16 in, and nothing leads in from there", "the description"
)
NOBODY_LET_IN = refuses(
    "applications/nobody-let-in",
    "F21",
    "port mqtt of `mqtt-prod` is open to the network, and `allow` lets nobody in",
    "the description",
)
CHECKS = (ANSWERS_AT_ONE, NO_WAY_IN, NOBODY_LET_IN)


def findings_of(instance: Instance, nodes: Sequence[Node], platform: Platform) -> Iterator[Finding]:
    """What is wrong with how the network reaches one environment."""
    if instance.app.chart is not None:
        return
    known = {name: (port, protocol) for name, port, protocol in instance.ports}
    for name, source in _named(instance):
        if name not in known:
            yield NO_SUCH_PORT(
                source,
                what=f"`{instance.name}` opens port `{name}`, and `{instance.app.name}` has none of that name",
                why="there is nothing to send it to",
                fix=nearest(name, known) or (f"one of {', '.join(known)}" if known else "ports: of the application"),
            )
        elif not any(_admits(peer, *known[name]) for peer in _let_in(instance)):
            yield NOBODY_LET_IN(
                source,
                what=f"port {name} of `{instance.name}` is open to the network, and `allow` lets nobody in",
                why="the policy of its namespace drops the connection, and people see no more than a timeout",
                fix="allow: {ingress: [{cidr: …}]}, with the network that they are in, such as 192.168.86.0/24",
            )
    taken: dict[tuple[int, str], str] = {}
    for name, number in instance.environment.node_ports.items():
        first = taken.setdefault((number, known[name][1] if name in known else ""), name)
        if first != name:
            yield PORT_TWICE(
                instance.environment.source_of("nodePorts", name),
                what=f"`{instance.name}` has node port {number} for {first} and for {name}",
                why="the API server refuses its Service",
                fix="another number for one of the two",
            )
    yield from _at_one(instance, nodes)
    yield from _none(instance, platform)


def _named(instance: Instance) -> Iterator[tuple[str, Source]]:
    """The ports that are opened, each once."""
    environment = instance.environment
    yield from ((name, environment.source_of("nodePorts", name)) for name in environment.node_ports)
    for name in dict.fromkeys(environment.load_balancer):
        if name not in environment.node_ports:
            yield name, environment.source_of("loadBalancer")


def _let_in(instance: Instance) -> tuple[Peer, ...]:
    return (*instance.app.allow.ingress, *instance.environment.allow.ingress)


def _admits(peer: Peer, port: int, protocol: str) -> bool:
    """Whether a network is let in at a port."""
    return peer.cidr is not None and (not peer.ports or (port in peer.ports and peer.protocol == protocol))


def _at_one(instance: Instance, nodes: Sequence[Node]) -> Iterator[Finding]:
    """Where the machine that answers may change; the others drop what they get (`externalTrafficPolicy: Local`)."""
    ways = [node for node in ways_of(instance, nodes) if node.state == "live"]
    opened = next(_named(instance), None)
    if opened and len(ways) > max(instance.fewest, 1):
        yield ANSWERS_AT_ONE(
            opened[1],
            what=f"`{instance.name}` answers only at the machine that runs it, and {len(ways)} may",
            why="the others drop what they get: passed on, it would come from their address, which `allow` does not know",
            fix=f"nodeSelector: {{kubernetes.io/hostname: {ways[0].name}}}; or accept: with the reason",
        )


def _none(instance: Instance, platform: Platform) -> Iterator[Finding]:
    """Networks that are let in where no environment opens a port."""
    app, environment = instance.app, instance.environment
    first = environment is app.environments[0]
    if not any(one.opened for one in app.environments) and first:
        yield from _leads_nowhere(instance, app.allow.ingress, platform)
    if not environment.opened:
        yield from _leads_nowhere(instance, environment.allow.ingress, platform)


def _leads_nowhere(instance: Instance, peers: Sequence[Peer], platform: Platform) -> Iterator[Finding]:
    if not platform.pod_networks:
        return
    for peer in peers:
        if peer.cidr is None or any(
            peer.cidr.overlaps(pods) for pods in platform.pod_networks if pods.version == peer.cidr.version
        ):
            continue
        yield NO_WAY_IN(
            peer.source_of("cidr"),
            what=f"`{instance.name}` lets {peer.cidr} in, and nothing leads in from there",
            why="its Service has an address inside the cluster only; what comes by a route comes from the ingress controller",
            fix="nodePorts: {NAME: 3…} or loadBalancer: [NAME] of the environment, with the name of a port; or no such line",
        )
