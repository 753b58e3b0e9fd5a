"""F27: an object that changed its Kustomization, or left the tree, was pruned, and the volumes with it."""

from __future__ import annotations

import dataclasses

from tests.checks.defects import DEFECTS
from tests.checks.planted import layer, look, obj
from tests.failures.refusal import refused


def test_a_new_owner_is_refused_while_the_committed_object_can_be_pruned() -> None:
    """`prune: disabled` in the new files comes too late."""
    refused("F27", "moves/owner")


def test_leaving_is_refused_while_the_committed_object_can_be_pruned() -> None:
    """The message prints the commit to make first."""
    refused("F27", "moves/left")


def test_what_the_old_kustomization_lays_over_its_objects_protects_them() -> None:
    """The takeover's first commit: an annotation in `commonMetadata` reaches the live objects, and the second is accepted."""
    over = "commonMetadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}"
    moved = DEFECTS["moves/owner"]
    annotated = dataclasses.replace(moved, before=layer("infrastructure", obj("Namespace", "longhorn-system"), spec=over))
    assert "moves/owner" in {finding.id for finding in look(moved, moved.files)}
    assert not look(annotated, annotated.files)
