"""F24: the default disk landed on the root filesystem."""

from __future__ import annotations

from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_disk_outside_every_declared_mount_is_refused() -> None:
    """Replicas would fill the system's disk."""
    refused("F24", "storage/outside-mount")


def test_longhorn_makes_no_disk_of_its_own(reference: Project) -> None:
    """By construction: only labelled nodes get a default disk, and none carries the label's value for it."""
    assembled = reference.run().assembled
    assert assembled is not None
    [release] = [file.object for file in assembled.tree if file.path.endswith("helm-release-longhorn.yaml")]
    assert release["spec"]["values"]["defaultSettings"]["createDefaultDiskLabeledNodes"] is True
