"""Which machine begins the cluster, whatever the servers answer."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.hosts.joining import NotBegun, Standing, State, WayIn, beginning, left_alone, servers_of
from fluxstead.nodes.model import Node

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
NAMES = ("k3s1", "k3s2", "k3s3")


def node(name: str, role: str = "server", *, rejoin: bool = False, state: str = "live", prepare: bool = True) -> Node:
    return Node.model_validate(
        {
            "name": name,
            "cluster": "c",
            "address": "192.0.2.1",
            "role": role,
            "state": state,
            "rejoin": rejoin,
            "prepare": prepare,
            "ssh": {"hostKey": KEY},
        }
    )


standings = st.builds(
    Standing,
    name=st.just(""),
    state=st.sampled_from(get_args(State)),
    why=st.just("no route to host"),
    ready=st.booleans(),
    data=st.booleans(),
    begun=st.sampled_from(["", "first", "join"]),
)


@st.composite
def clusters(draw: st.DrawFn) -> tuple[Node, Standing, list[Standing]]:
    servers = [draw(standings)._replace(name=name) for name in NAMES[: draw(st.integers(0, 3))]]
    agent = draw(standings)._replace(name="agent")
    own = draw(st.sampled_from([*servers, agent]))
    role = "agent" if own is agent else "server"
    return node(own.name, role, rejoin=role == "server" and draw(st.booleans())), own, servers


@given(clusters())
def test_a_cluster_is_begun_once(case: tuple[Node, Standing, list[Standing]]) -> None:
    """Only by the first server, and never where another runs, may run, or keeps the cluster's data."""
    one, own, servers = case
    said = beginning(one, own, servers)
    if said == WayIn("first"):
        others = [server for server in servers if server.name != own.name]
        assert one.role == "server"
        assert not any(server.state == "running" for server in others)
        if own.begun != "first":
            assert servers[0].name == own.name
            assert own.data or not any(server.state == "unknown" or server.data for server in others)


@given(clusters())
def test_what_runs_and_was_not_just_begun_is_only_looked_at(case: tuple[Node, Standing, list[Standing]]) -> None:
    one, own, servers = case
    if own.state == "running" and not own.begun:
        assert beginning(one, own, servers) == WayIn("look")


@given(clusters())
def test_a_machine_joins_through_a_server_that_is_ready(case: tuple[Node, Standing, list[Standing]]) -> None:
    one, own, servers = case
    said = beginning(one, own, servers)
    if isinstance(said, WayIn) and said.how == "join":
        through = next(server for server in servers if server.name == said.through)
        assert (through.state, through.ready, through.name == own.name) == ("running", True, False)


@given(clusters())
def test_a_first_server_without_its_data_asks_before_it_joins(case: tuple[Node, Standing, list[Standing]]) -> None:
    """A replaced disk and a forgotten description look alike."""
    one, own, servers = case
    said = beginning(one, own, servers)
    if (
        one.role == "server"
        and servers[0].name == own.name
        and not own.data
        and not own.begun
        and isinstance(said, WayIn)
        and said.how == "join"
    ):
        assert one.rejoin


@given(clusters())
def test_what_is_not_begun_says_why(case: tuple[Node, Standing, list[Standing]]) -> None:
    said = beginning(*case)
    assert not isinstance(said, NotBegun) or said.why


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([Standing("k3s2", "running", ready=True)], "rejoin: true"),
        ([Standing("k3s2", "running")], "k3s2 runs k3s and is not Ready"),
        ([Standing("k3s2", "unknown", "k3s2: no route to host")], "state: planned in nodes/k3s2.yaml"),
        ([Standing("k3s2", "stopped", data=True)], "sudo systemctl start k3s, on k3s2"),
    ],
)
def test_the_refusal_of_a_first_server_says_what_to_write_or_type(others: list[Standing], said: str) -> None:
    own = Standing("k3s1", "absent")
    refused = beginning(node("k3s1"), own, [own, *others])
    assert isinstance(refused, NotBegun)
    assert said in refused.why


def test_the_first_server_is_the_first_by_name_of_those_that_are_prepared() -> None:
    """Whatever the order of the files."""
    found = servers_of([node("k3s3"), node("k3s1", state="planned"), node("a", "agent"), node("k3s2")])
    assert [one.name for one in found] == ["k3s2", "k3s3"]


@pytest.mark.parametrize("left", [node("k3s1", state="leaving"), node("k3s1", prepare=False)])
def test_no_cluster_is_begun_beside_a_server_that_is_not_dialled(left: Node) -> None:
    """It is the one that a new server replaces, or that somebody looks after by hand."""
    own, nodes = Standing("k3s2", "absent"), [left, node("k3s2")]
    refused = beginning(nodes[1], own, [own, *left_alone(nodes)])
    assert isinstance(refused, NotBegun)
    assert "whether k3s1 runs the cluster is not known (`up` does not dial it: " in refused.why


def test_a_planned_server_has_begun_nothing() -> None:
    assert not left_alone([node("k3s1", state="planned"), node("k3s2"), node("a", "agent", state="leaving")])
