"""F27: an object that changed its Kustomization, or left the tree, was pruned, and the volumes with it."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_a_new_owner_is_refused_while_the_committed_object_can_be_pruned() -> None:
    """`prune: disabled` in the new files comes too late."""
    refused("F27", "moves/owner")


def test_leaving_is_refused_while_the_committed_object_can_be_pruned() -> None:
    """The message prints the commit to make first."""
    refused("F27", "moves/left")
