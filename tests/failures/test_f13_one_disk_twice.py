"""F13: the same disk registered by hand and by manifest, and the UI locked."""

from __future__ import annotations

from tests.conftest import Project
from tests.failures.refusal import refused


def test_two_names_for_one_path_are_refused() -> None:
    """Also where people wrote the Node object."""
    refused("F13", "storage/path-twice")


def test_one_path_in_two_declarations_is_refused(reference: Project) -> None:
    """In a machine's file."""
    reference.replace("nodes/k3s1.yaml", "mountPath: /mnt/longhorn/sdg1", "mountPath: /mnt/longhorn/sdf1")
    assert "nodes/disk-twice" in {finding.id for finding in reference.run().findings}
