"""U6: an unescaped variable in a script broke a Kustomization under strict substitution."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_a_variable_without_a_value_is_refused() -> None:
    """Escaped, it is text."""
    refused("U6", "substitution/undefined")
