"""F14: hard-coded disk UUIDs in Git blocked replica creation."""

from __future__ import annotations

from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_uuid_in_an_included_file_is_refused() -> None:
    """Longhorn gives a disk its UUID."""
    refused("F14", "storage/disk-uuid")


def test_none_is_ever_written(example: Project) -> None:
    """By construction."""
    assembled = example.run().assembled
    assert assembled is not None
    disks = [file.text for file in assembled.tree if file.object["apiVersion"] == "longhorn.io/v1beta2"]
    assert disks
    assert not [text for text in disks if "diskUUID" in text]
