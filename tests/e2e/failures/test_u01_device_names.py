"""U1: device names moved, and the wrong disk was wiped."""

from __future__ import annotations

import pytest

from tests.e2e.hosts.support import EXT4, apply, digests, disk, path, plan, refused, with_file
from tests.e2e.hosts.vm import Machine, disks


@pytest.mark.machine
def test_a_name_that_moved_is_refused_and_a_serial_finds_its_disk() -> None:
    """The same two disks in another order: what was /dev/sda is /dev/sdb, and `mkfs /dev/sda` would meet the other one."""
    with Machine(disks(2, "400M")) as machine:
        apply(machine, disk(1))
        machine.root(with_file(2, EXT4) + "echo data > /mnt/longhorn/d1/data; sync")
        named = machine.root(f"readlink -f {path(1)}").strip()
        machine.restart(list(reversed(machine.specs)))
        assert machine.root(f"lsblk -dno SERIAL {named}").strip() == "WD-FS0002", "the failure: the name is the other disk's"

        assert "data" in machine.root("cat /mnt/longhorn/d1/data; sync")
        before = digests(machine, [1, 2])
        assert plan(machine, disk(1))["disks"][0]["action"] == "nothing"
        text = refused(machine, disk(1, device=named))["d1"]
        assert "do not agree" in text
        assert f"device: {path(1)}" in text or "device: /dev/disk/by-id/" in text
        assert digests(machine, [1, 2]) == before
        # The bare name alone says nothing that lasts, not even of a blank disk.
        machine.root(f"umount /mnt/longhorn/d1; sed -i /longhorn/d /etc/fstab; wipefs -qa {path(2)}-part1 {path(2)}")
        machine.root(f"dd if=/dev/zero of={path(2)} bs=1M status=none || true; blockdev --rereadpt {path(2)}; udevadm settle")
        before = digests(machine, [1, 2])
        assert "only a name that can move" in refused(machine, disk(2, serial=None, device=named))["d2"]
        assert digests(machine, [1, 2]) == before
