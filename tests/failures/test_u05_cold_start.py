"""U5: a custom resource applied before its CRD, a workload before its namespace, on a fresh cluster only."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_what_nobody_brings_is_refused() -> None:
    """A namespace that is in no file."""
    refused("U5", "coldstart/never")


def test_what_comes_from_the_same_kustomization_is_refused() -> None:
    """Flux checks all of it before it applies any."""
    refused("U5", "coldstart/stuck")


def test_what_comes_later_is_refused() -> None:
    """Without the edge."""
    refused("U5", "coldstart/too-early")


def test_in_a_tree_without_a_description_it_is_a_warning() -> None:
    """Somebody may install it before Flux."""
    refused("U5", "coldstart/retried")
    refused("U5", "coldstart/from-outside")
