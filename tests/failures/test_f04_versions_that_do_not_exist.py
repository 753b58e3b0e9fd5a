"""F4: chart versions that do not exist (kube-prometheus-stack 55.12.0, longhorn 1.8.3)."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_a_range_is_refused() -> None:
    """It names no version at all."""
    refused("F4", "versions/range")
