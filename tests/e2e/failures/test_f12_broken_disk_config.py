"""F12: longhorn-disk.cfg missing or empty; the cure left disks without a UUID.

Longhorn itself is not run here: that it makes a UUID only where the file is absent is upstream's
(longhorn-manager, util: GenerateDiskConfig).
"""

from __future__ import annotations

import pytest

from tests.e2e.hosts.support import apply, disk, plan, refused
from tests.e2e.hosts.vm import Machine

CONFIG = "/mnt/longhorn/d1/longhorn-disk.cfg"


@pytest.mark.machine
def test_a_broken_file_goes_only_where_no_replica_is_and_a_uuid_is_never_touched(machine: Machine) -> None:
    """The plan names it, the apply takes it away, and what Longhorn wrote stays to the byte."""
    apply(machine, disk(1))
    assert machine.ssh(f"test -e {CONFIG}").status == 1, "a fresh disk is left without the file"

    for broken in ("{}", "", "no json"):
        machine.root(f"printf '{broken}' >{CONFIG}")
        assert plan(machine, disk(1))["disks"][0]["tasks"] == ["config"]
        assert apply(machine, disk(1))["disks"][0]["done"] == ["config"]
        assert machine.ssh(f"test -e {CONFIG}").status == 1

    machine.root(f"echo '{{}}' >{CONFIG}; mkdir -p /mnt/longhorn/d1/replicas/pvc-1")
    assert "evict them first" in refused(machine, disk(1))["d1"]
    assert machine.root(f"cat {CONFIG}") == "{}\n"

    text = '{"diskName":"d1","diskUUID":"5f4d","diskDriver":""}'
    machine.root(f"echo '{text}' >{CONFIG}")
    inode = machine.root(f"stat -c '%i %y %s' {CONFIG}")
    assert not apply(machine, disk(1))["changed"]
    assert machine.root(f"stat -c '%i %y %s' {CONFIG}") == inode
