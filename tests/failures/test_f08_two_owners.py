"""F8: one object reconciled by two Kustomizations (monitoring inside infrastructure as well)."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_the_second_owner_is_refused() -> None:
    """Each would prune what the other applies."""
    refused("F8", "tree/two-owners")
