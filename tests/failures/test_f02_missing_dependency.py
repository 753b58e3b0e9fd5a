"""F2: a Kustomization depended on one that did not exist, and Flux waited forever."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_a_dangling_name_is_refused_with_the_nearest() -> None:
    """Also in trees that people wrote."""
    refused("F2", "references/dangling-dependency")


def test_a_circle_is_refused_with_the_way_round() -> None:
    """Nobody in it is ever applied."""
    refused("F2", "coldstart/deadlock")


def test_releases_in_a_circle_are_refused_with_the_way_round() -> None:
    """Flux says of each that its dependency is not ready."""
    refused("F2", "references/circle")
