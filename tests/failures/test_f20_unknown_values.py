"""F20: chart values that the chart does not know, a HelmRepository of the wrong type, a duplicate key."""

from __future__ import annotations

from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_value_that_the_chart_does_not_know_is_refused() -> None:
    """Helm ignores it without a word."""
    refused("F20", "tree/chart-value")
    refused("F20", "tree/chart-value-unsure")


def test_a_source_whose_type_does_not_fit_its_url_is_refused() -> None:
    """Flux would look for an index where there is none."""
    refused("F20", "versions/source-type")


def test_a_key_that_stands_twice_is_refused(reference: Project) -> None:
    """One of the two values would vanish."""
    reference.replace("nodes/k3s2.yaml", "role: agent", "role: agent\nrole: server")
    assert "description/yaml" in {finding.id for finding in reference.run().findings}
