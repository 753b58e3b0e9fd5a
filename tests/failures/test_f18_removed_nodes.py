"""F18: volumes faulted and Node objects stuck on finalizers after a node was removed."""

from __future__ import annotations

import pytest

from tests.failures.refusal import not_done, refused


def test_a_node_that_still_takes_replicas_cannot_leave_the_tree() -> None:
    """The message prints the commits to make."""
    refused("F18", "moves/node-left")


@pytest.mark.gap("the removal procedure (evict, remove disks, remove node, wipe) is not written yet")
def test_the_whole_procedure_is_guarded() -> None:
    """From the eviction to the wipe."""
    not_done("the removal procedure (evict, remove disks, remove node, wipe) is not written yet")
