"""F15: disk UUIDs missing in the Node's status, and no replica could be made."""

from __future__ import annotations

from tests.conftest import Project
from tests.live.world import World, roots_of


def test_the_doctor_names_it(reference: Project) -> None:
    """Once, with what waits for it, what to type, and the page."""
    assembled = reference.run().assembled
    assert assembled is not None

    def without_uuid(world: World) -> None:
        world["nodes of Longhorn"][0]["status"]["diskStatus"]["sdg1"]["diskUUID"] = ""

    [root] = roots_of(assembled, without_uuid)
    assert str(root.trouble.subject) == "disk sdg1 of k3s1"
    assert "has no UUID" in root.trouble.says
    assert "longhorn-disk.cfg" in root.trouble.do


def test_the_gate_holds_what_needs_volumes_back_until_every_disk_has_its_uuid(reference: Project) -> None:
    """Without the expression Flux takes a Node without any status for ready (kstatus knows no condition of it)."""
    assembled = reference.run().assembled
    assert assembled is not None
    [layer] = [file.object for file in assembled.tree if file.path == "infrastructure/longhorn-disks.yaml"]
    assert layer["spec"]["healthCheckExprs"][0]["kind"] == layer["spec"]["healthChecks"][0]["kind"] == "Node"
    assert layer["spec"]["wait"] is False, "with it, Flux would not look at what is named"
