"""F23: auto-upgrade ranges (1.5.x, ^55.0.0) moved charts unasked."""

from __future__ import annotations

from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_range_is_refused() -> None:
    """Also in files that people wrote."""
    refused("F23", "versions/range")


def test_an_image_that_moves_under_its_tag_is_warned_of() -> None:
    """It differs from node to node."""
    refused("F23", "versions/moving-image")


def test_a_range_in_the_description_is_refused(reference: Project) -> None:
    """Before anything else is looked at."""
    reference.replace("Pulumi.k3s-flux.yaml", "version: 1.9.0", "version: 1.9.x")
    assert "description/value" in {finding.id for finding in reference.run().findings}
