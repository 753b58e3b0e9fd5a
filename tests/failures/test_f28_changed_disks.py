"""F28: a disk's key removed or renamed, its path changed, or a class's parameters."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_a_disk_that_still_takes_replicas_cannot_be_removed() -> None:
    """The webhook refuses it, and the layer hangs."""
    refused("F28", "moves/disk-removed")


def test_a_disk_cannot_move() -> None:
    """Longhorn accepts it, and orphans the replicas."""
    refused("F28", "moves/disk-changed")


def test_a_class_cannot_change_unless_flux_may_replace_it() -> None:
    """Its parameters are immutable."""
    refused("F28", "moves/immutable")
