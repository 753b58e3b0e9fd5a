"""U7: only the first configuration error was shown."""

from __future__ import annotations

from tests.conftest import Project


def test_two_mistakes_in_two_files_are_told_at_once(reference: Project) -> None:
    """Ten at once: tests/description/test_mistakes.py."""
    reference.replace("Pulumi.k3s-flux.yaml", "version: 1.9.2", "version: 1.9.x")
    reference.replace("nodes/k3s1.yaml", "role: server", "role: master")
    files = {finding.source.file for finding in reference.run().findings if finding.id == "description/value"}
    assert files == {"Pulumi.k3s-flux.yaml", "nodes/k3s1.yaml"}
