"""U12: adding a node needed edits in many files."""

from __future__ import annotations

from tests.conftest import Project


def test_a_machine_is_one_file(reference: Project) -> None:
    """Everything else follows from it; a file that names no cluster is refused, not left out."""
    new = (reference.root / "nodes/k3s2.yaml").read_text().replace("86.72", "86.73")
    (reference.root / "nodes/k3s3.yaml").write_text(new.replace("state: planned", "state: live"))
    run = reference.run()
    assert run.assembled is not None
    assert "infrastructure/longhorn-node-k3s3/node-k3s3.yaml" in run.assembled.files
    reference.replace("nodes/k3s3.yaml", "cluster: k3s-flux", "cluster: k3s-flx")
    assert "description/no-cluster" in {finding.id for finding in reference.run().findings}
