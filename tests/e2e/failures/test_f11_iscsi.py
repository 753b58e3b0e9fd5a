"""F11: iscsid was not enabled, and volumes could not attach."""

from __future__ import annotations

import pytest

from fluxstead.hosts.build import stdin_for
from tests.e2e.hosts.support import apply, disk, node, plan, result_of
from tests.e2e.hosts.vm import Machine

ATTACH = "sudo -n iscsiadm --mode session; systemctl is-active iscsid.service"
"""The first is what Longhorn's engine runs to attach a volume; it ends with `No active sessions` where it can."""


@pytest.mark.machine
def test_a_bare_host_cannot_attach_and_a_prepared_one_can_also_after_a_boot(bare: Machine) -> None:
    """Packages, modules, service and name; all of it is still so when the machine comes back from a power cut."""
    before = bare.ssh(ATTACH)
    assert "command not found" in before.out + before.err
    assert before.status != 0

    done = bare.script(stdin_for("apply", node(disk(1))), seconds=900)
    assert done.status == 0, (done.out, done.err)
    assert {one["state"] for one in result_of(done)["system"] if one["item"] != "initiator name"} == {"done"}
    assert "active" in bare.ssh(ATTACH).out
    name = bare.root("cat /etc/iscsi/initiatorname.iscsi")
    bare.power_cut()
    after = bare.ssh(ATTACH)
    assert "No active sessions" in after.err
    assert after.out.strip() == "active"
    assert bare.root("cat /etc/iscsi/initiatorname.iscsi") == name
    seen = plan(bare, disk(1))
    assert {one["state"] for one in seen["system"]} == {"fine"}, seen["system"]
    assert seen["disks"][0]["action"] == "nothing"
    assert not apply(bare, disk(1))["changed"]
