"""F15: disk UUIDs missing in the Node's status, and no replica could be made."""

from __future__ import annotations

import pytest

from tests.conftest import Project
from tests.failures.refusal import not_done


@pytest.mark.gap("the doctor does not look into the cluster yet")
def test_the_doctor_names_it() -> None:
    """A disk that lost its UUID later."""
    not_done("the doctor does not look into the cluster yet")


def test_the_gate_holds_what_needs_volumes_back_until_every_disk_has_its_uuid(reference: Project) -> None:
    """Without the expression Flux takes a Node without any status for ready (kstatus knows no condition of it)."""
    assembled = reference.run().assembled
    assert assembled is not None
    [layer] = [file.object for file in assembled.tree if file.path == "infrastructure/longhorn-disks.yaml"]
    assert layer["spec"]["healthCheckExprs"][0]["kind"] == layer["spec"]["healthChecks"][0]["kind"] == "Node"
    assert layer["spec"]["wait"] is False, "with it, Flux would not look at what is named"
