"""F1: monitoring started before Longhorn was usable, and its release looped on unbound volumes."""

from __future__ import annotations

from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_claim_that_does_not_wait_for_the_disks_is_refused() -> None:
    """The chart makes the class long before a volume can be placed."""
    refused("F1", "coldstart/too-early")


def test_a_class_that_no_disk_serves_is_refused() -> None:
    """Its volumes would wait for ever."""
    refused("F1", "storage/tags")


def test_volumes_that_do_not_fit_are_refused() -> None:
    """The arithmetic is in the message."""
    refused("F1", "storage/capacity")


def test_the_gate_asks_for_registered_disks_and_nothing_that_may_fail_later(reference: Project) -> None:
    """A gate on present health froze every later commit when one disk died."""
    assembled = reference.run().assembled
    assert assembled is not None
    [layer] = [file.object for file in assembled.tree if file.path == "infrastructure/longhorn-storage.yaml"]
    [check] = layer["spec"]["healthCheckExprs"]
    assert "diskUUID != ''" in check["current"]
    assert "Ready" not in check["current"]
