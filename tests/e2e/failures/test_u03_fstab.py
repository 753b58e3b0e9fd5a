"""U3: /etc/fstab by device name; boot hung when a disk died."""

from __future__ import annotations

import pytest

from tests.e2e.hosts.support import apply, disk, plan, refused
from tests.e2e.hosts.vm import Machine, disks

BY_HAND = "/dev/sdb1 /mnt/longhorn/d2 ext4 defaults,x-systemd.device-timeout=20s 0 2"
"""As people write it, but for the bound, which only shortens the test: systemd's own is 90 s."""


@pytest.mark.machine
def test_without_its_disk_a_machine_boots_with_our_line_and_not_with_the_one_by_hand() -> None:
    """By hand, the boot waits for the device and ends in the emergency shell, with no sshd."""
    with Machine(disks(2, "400M")) as machine:
        apply(machine, disk(1), disk(2))
        line = machine.root("grep /mnt/longhorn/d2 /etc/fstab")
        assert line.startswith("UUID=")
        machine.restart(machine.specs[:1])
        assert machine.root("systemctl is-system-running || true").strip() in ("running", "degraded")
        assert machine.root("systemctl is-active local-fs.target").strip() == "active"
        assert plan(machine, disk(1))["disks"][0]["action"] == "nothing"
        assert "./run render" in refused(machine, disk(1), disk(2))["d2"]

        machine.root(f"sed -i 's|^UUID=.* /mnt/longhorn/d2 .*|{BY_HAND}|' /etc/fstab; sync")
        assert machine.boots_into_emergency()
