"""U10: pruning removed volumes with their release."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_what_holds_data_and_can_be_pruned_is_refused() -> None:
    """A renamed file would be enough."""
    refused("U10", "storage/prunable")
