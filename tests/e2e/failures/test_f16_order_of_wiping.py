"""F16: wiping failed while the disk was mounted; formatting before a partition existed failed."""

from __future__ import annotations

import pytest

from tests.e2e.hosts.support import EXT4, apply, digests, disk, path, plan, refused, with_file
from tests.e2e.hosts.vm import Machine


@pytest.mark.machine
def test_by_hand_both_fail_and_the_preparation_does_them_in_the_order_that_works(machine: Machine) -> None:
    """Nothing mounted is wiped; then wipe, partition, format, mount, each only once the one before is seen to be done."""
    machine.root(with_file(1, EXT4) + "mkdir -p /srv/old; mount $p /srv/old")
    mounted = machine.ssh(f"sudo -n wipefs --all $(readlink -f {path(1)})")
    assert "busy" in mounted.err
    assert mounted.status
    early = machine.ssh(f"sudo -n mkfs.ext4 -q $(readlink -f {path(2)})1")
    assert "does not exist" in early.err
    assert early.status

    others = digests(machine, [3, 4])
    assert "it is mounted at /srv/old: umount /srv/old" in refused(machine, disk(1), disk(2))["d1"]
    machine.root("umount /srv/old")
    consent = plan(machine, disk(1))["disks"][0]["write"].removeprefix("wipe: ")
    done = {one["name"]: one["done"] for one in apply(machine, disk(1, wipe=consent), disk(2))["disks"]}
    fresh = ["partition", "format", "mountpoint", "fstab", "mount"]
    assert done == {"d1": ["wipe", *fresh], "d2": fresh}
    assert machine.root("findmnt -n -o FSTYPE /mnt/longhorn/d1; findmnt -n -o FSTYPE /mnt/longhorn/d2") == "ext4\next4\n"
    assert digests(machine, [3, 4]) == others
