"""Which machine begins the cluster, which one joins it, and which is only looked at: decided from what all servers answered.

Pure: who asks the hosts, and what is then done, is elsewhere. A server that answers is never begun again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from fluxstead.nodes.model import Node

State = Literal["absent", "stopped", "running", "unknown"]
Begun = Literal["", "first", "join"]
"""How k3s was begun on a machine, where that was not ended: a later run carries on with the same."""

NO_SERVER = "no server is described that `up` looks after (state: live, ssh.hostKey)"


class Standing(NamedTuple):
    """What is known of k3s on one machine: not there, there and stopped, running, or not known, for want of an answer."""

    name: str
    state: State
    why: str = ""
    """Why it is not known."""
    ready: bool = False
    """Its Kubernetes node says Ready."""
    data: bool = False
    """k3s's data folder holds a cluster, or what an agent keeps of one."""
    begun: Begun = ""


class WayIn(NamedTuple):
    """What happens to k3s on one machine: it begins the cluster, joins it through a server, or is only looked at."""

    how: Literal["first", "join", "look"]
    through: str = ""
    """The server that is asked for a token, and whose release is installed."""


class NotBegun(NamedTuple):
    """Why nothing happens there, and what to do."""

    why: str


def servers_of(nodes: Sequence[Node]) -> list[Node]:
    """The servers that `up` looks after, the one that begins the cluster first."""
    return sorted((node for node in nodes if node.role == "server" and node.why_not_prepared is None), key=lambda node: node.name)


def left_alone(nodes: Sequence[Node]) -> list[Standing]:
    """The servers that `up` does not dial, any of which may run the cluster; a planned one has not joined it yet."""
    others = [node for node in nodes if node.role == "server" and node.state != "planned" and node.why_not_prepared]
    return [Standing(node.name, "unknown", f"`up` does not dial it: {node.why_not_prepared}") for node in others]


def beginning(node: Node, own: Standing, servers: Sequence[Standing]) -> WayIn | NotBegun:
    """What happens to k3s on this machine, given what it and the cluster's servers (in their order) answered."""
    if own.state == "running" and not own.begun:
        return WayIn("look")
    if own.state == "unknown":
        return NotBegun(own.why)
    if node.role == "server":
        return _of_a_server(node, own, servers)
    through = _to_join(servers)
    return WayIn("join", through) if through else NotBegun(_no_server(servers))


def _of_a_server(node: Node, own: Standing, servers: Sequence[Standing]) -> WayIn | NotBegun:
    others = [server for server in servers if server.name != node.name]
    is_first = bool(servers) and servers[0].name == node.name
    through = _to_join(others)
    if own.begun == "first" and not any(server.state == "running" for server in others):
        return WayIn("first")
    if not through:
        return _without_a_server(node, own, others, is_first=is_first)
    if is_first and not own.data and not own.begun and not node.rejoin:
        return NotBegun(_rejoins(node, through))
    return WayIn("join", through)


def _to_join(servers: Sequence[Standing]) -> str:
    return next((server.name for server in servers if server.state == "running" and server.ready), "")


def _without_a_server(node: Node, own: Standing, others: Sequence[Standing], *, is_first: bool) -> WayIn | NotBegun:
    """No other server is Ready: only the first one may begin, and only where no other may have the cluster."""
    running = next((server.name for server in others if server.state == "running"), "")
    if running:
        return NotBegun(f"{running} runs k3s and is not Ready, so nothing joins it yet: ./run doctor --hosts {running}")
    if not is_first:
        return NotBegun(_no_server(others))
    if own.data:
        return WayIn("first")
    silent = next((server for server in others if server.state == "unknown"), None)
    if silent:
        return NotBegun(
            f"whether {silent.name} runs the cluster is not known ({silent.why}), and a second cluster may not begin beside it:"
            f" bring it back, or say state: planned in nodes/{silent.name}.yaml"
        )
    kept = next((server.name for server in others if server.data), "")
    if kept:
        return NotBegun(
            f"{kept} holds the data of a cluster and k3s does not run there, so {node.name} begins no other:"
            f" sudo systemctl start k3s, on {kept}"
        )
    return WayIn("first")


def _rejoins(node: Node, through: str) -> str:
    return (
        f"{through} runs this cluster, and {node.name}, its first server, has no data: begun anew it would be a second cluster with"
        f" the same name; if its disk was replaced, or it is new, write rejoin: true in nodes/{node.name}.yaml and it joins"
    )


def _no_server(servers: Sequence[Standing]) -> str:
    if not servers:
        return f"{NO_SERVER}, so there is nothing to join"
    rows = "; ".join(f"{server.name}: {_in_words(server)}" for server in servers)
    return f"no server runs that could be joined ({rows})"


def _in_words(server: Standing) -> str:
    if server.state == "unknown":
        return server.why
    return {"absent": "k3s is not there", "stopped": "k3s does not run", "running": "not Ready"}[server.state]
