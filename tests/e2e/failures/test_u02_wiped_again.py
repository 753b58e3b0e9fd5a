"""U2: a re-run, a spurious difference or a changed key ran a wipe again."""

from __future__ import annotations

import pytest

from tests.e2e.hosts.support import EXT4, apply, disk, path, plan, refused, with_file
from tests.e2e.hosts.vm import Machine

NAIVE = "umount /mnt/x 2>/dev/null || true; wipefs -qa $d-part1 2>/dev/null || true; wipefs -qa $d; udevadm settle; "
NAIVE += "echo ',,L' | sfdisk -q --label gpt $d; udevadm settle; mkfs.ext4 -q -F $d-part1; mkdir -p /mnt/x; mount $d-part1 /mnt/x\n"
"""What set-up scripts do. The first run is right."""


@pytest.mark.machine
def test_a_run_again_loses_everything_by_hand_and_nothing_by_the_preparation(machine: Machine) -> None:
    """Also with the consent still in the file, and with every word of the declaration changed that may change."""
    machine.root(f"d={path(2)}; {NAIVE} echo data >/mnt/x/data; {NAIVE} test ! -e /mnt/x/data")

    machine.root(with_file(1, EXT4))
    consent = plan(machine, disk(1))["disks"][0]["write"].removeprefix("wipe: ")
    assert apply(machine, disk(1, wipe=consent))["disks"][0]["action"] == "wipe"
    machine.root("mkdir -p /mnt/longhorn/d1/replicas/pvc-1; echo data >/mnt/longhorn/d1/replicas/pvc-1/volume.meta; sync")
    uuid = machine.root(f"blkid -s UUID -o value {path(1)}-part1")
    for changed in (
        disk(1, wipe=consent),
        disk(1),
        disk(1, size=200 * 1024**2),
        disk(1, device=path(1), wwn="50014ee000000001"),
        disk(1, wipe="WD-FS0001/" + "0" * 24),
    ):
        assert {one["action"] for one in apply(machine, changed)["disks"]} == {"nothing"}
    # Another name, path or filesystem is another disk to Longhorn: mended beside the data, or refused; never formatted.
    assert apply(machine, disk(1, name="data"))["disks"][0]["done"] == ["label"]
    assert "unmount it there first" in refused(machine, disk(1, name="data", mountPath="/mnt/longhorn/other"))["data"]
    assert "holds ext4, declared is xfs" in refused(machine, disk(1, name="data", filesystem="xfs", wipe=consent))["data"]
    assert machine.root(f"blkid -s UUID -o value {path(1)}-part1") == uuid
    assert machine.root("cat /mnt/longhorn/d1/replicas/pvc-1/volume.meta") == "data\n"
