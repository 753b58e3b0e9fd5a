"""F5: two HelmReleases for one chart (prometheus-operator, kube-prometheus-stack) fought."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_the_second_release_of_a_chart_for_the_whole_cluster_is_refused() -> None:
    """Under its old name as well."""
    refused("F5", "ownership/two-releases")


def test_two_defaults_are_warned_of() -> None:
    """k3s's own counted."""
    refused("F5", "ownership/two-defaults")
