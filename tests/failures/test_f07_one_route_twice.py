"""F7: two Ingresses with the same host and path."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_the_second_owner_of_a_route_is_refused_with_both_names() -> None:
    """Which of the two answers may change."""
    refused("F7", "ownership/same-route")


def test_a_port_of_the_nodes_is_claimed_once_and_in_range() -> None:
    """The API server refuses the second one."""
    refused("F7", "ownership/port-twice")
    refused("F7", "ownership/node-port-range")
