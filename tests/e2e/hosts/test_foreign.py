"""Not one byte of others' data: every state of the table, and what happens between a look and the first write."""

from __future__ import annotations

import pytest

from fluxstead.hosts.build import stdin_for

from .kept import looked_at, named_and_kept
from .states import TABLE, shell
from .support import EXT4, apply, digests, disk, node, patched, path, plan, refused, result_of, with_file
from .vm import DiskSpec, Machine, disks

pytestmark = pytest.mark.machine


@pytest.mark.parametrize("group", sorted(TABLE))
def test_a_state_is_named_and_kept(machine: Machine, group: str) -> None:
    named_and_kept(machine, TABLE[group])


def test_a_look_leaves_half_an_array_and_half_a_btrfs_as_they_were(machine: Machine) -> None:
    """Each was taken over by udev, or by the kernel, after a look through a loop device."""
    machine.root(
        f"mdadm --create /dev/md7 --quiet --run --level=1 --raid-devices=2 --metadata=1.0 {path(1)} {path(2)}; "
        "mkfs.ext4 -q /dev/md7; mdadm --wait /dev/md7 || true; mdadm --stop --quiet /dev/md7; udevadm settle; "
        f"mkfs.btrfs -q -f -d raid1 -m raid1 {path(3)} {path(4)}; udevadm settle"
    )
    before = digests(machine, [1, 2, 3, 4])
    seen = looked_at(machine, disk(1), disk(3))
    assert {one["action"] for one in seen.values()} == {"refuse"}
    assert digests(machine, [1, 2, 3, 4]) == before
    machine.root(f"mdadm --assemble --quiet /dev/md7 {path(1)} {path(2)}; grep -q '\\[UU\\]' /proc/mdstat")
    machine.root(f"mkdir -p /tmp/m; mount {path(3)} /tmp/m; umount /tmp/m")


SLIPPED_IN = """
do_{task} = TASKS["{task}"]
def slip_in_{task}(verdict, disk):
    run("bash", "-c", {shell!r})
    do_{task}(verdict, disk)
TASKS["{task}"] = slip_in_{task}
"""


@pytest.mark.parametrize(
    ("task", "slips"),
    [
        ("partition", "mkfs.ext4 -q -F $d"),
        ("partition", "printf x | dd of=$d bs=1 seek=$((201*1024*1024)) conv=notrunc status=none"),
        ("format", "dd if=/dev/urandom of=$p bs=1M count=20 conv=notrunc status=none"),
        ("wipe", "mount $p /tmp/m; echo more > /tmp/m/more; umount /tmp/m"),
    ],
)
def test_what_comes_between_the_look_and_the_first_write_is_kept(machine: Machine, task: str, slips: str) -> None:
    """The disk is the same one, and nobody holds it; only what lies on it is not what was decided about."""
    if task == "wipe":
        machine.root("mkdir -p /tmp/m\n" + with_file(1, EXT4))
    offered = plan(machine, disk(1))["disks"][0]["write"].removeprefix("wipe: ")
    wanted = disk(1, wipe=offered or None)
    marker = "/run/slipped"
    script = f"{shell(1, slips)} sync; udevadm settle; touch {marker}"
    done = machine.script(stdin_for("apply", node(wanted), patched(SLIPPED_IN.format(task=task, shell=script))))
    assert done.status == 1, (done.out[-2000:], done.err[-2000:])
    assert "written to since it was looked at" in "; ".join(result_of(done)["why"])
    machine.root(f"test -e {marker}")
    before = digests(machine, [1])
    assert refused(machine, wanted)
    assert digests(machine, [1]) == before


def test_another_disk_under_the_same_name_is_not_taken_for_the_declared_one() -> None:
    """udev is held up, and still has the first one's serial and names; then it is not there at all, and settles at once."""
    with Machine(disks(6, "400M")) as machine:
        other = DiskSpec("WD-FS0066", "0x50014ee000000066", "400M")
        machine.make_disk(other)
        machine.root("cp /run/udev/data/b8:80 /run/earlier; udevadm control --stop-exec-queue")
        machine.monitor("device_del disk5")
        machine.root("until [ ! -e /sys/block/sdf ]; do sleep 0.2; done")
        machine.monitor(f'drive_add 0 "file={machine.home / other.name},if=none,id=other,format=qcow2,cache=unsafe"')
        machine.monitor(f'device_add "scsi-hd,drive=other,id=other,serial={other.serial},wwn={other.wwn},bus=scsi0.0,scsi-id=5"')
        machine.root("until [ -e /sys/block/sdf ]; do sleep 0.2; done")
        done = machine.script(stdin_for("apply", node(disk(6))))
        assert done.status != 0
        assert "udev does not catch up" in "; ".join(result_of(done)["why"])
        machine.root("udevadm control --start-exec-queue; udevadm settle; cp /run/udev/data/b8:80 /run/present")
        for stale, said in (
            ("cat /run/earlier", "of an earlier disk"),
            ("grep -v by-diskseq /run/earlier", "the kernel says serial WD-FS0066, udev's database WD-FS0006"),
            ("sed s/WD-FS0066/WD-FS0006/ /run/present", "the kernel says serial WD-FS0066, udev's database WD-FS0006"),
        ):
            machine.root(f"{stale} > /run/udev/data/b8:80")
            assert said in refused(machine, disk(6))["d6"]


def test_adoption_keeps_what_the_operator_chose(machine: Machine) -> None:
    """Options, owner and mode; and /etc/fstab stays the link to a file with an ACL that it is."""
    machine.root(
        "mkdir -p /etc/kept; mv /etc/fstab /etc/kept/fstab; ln -s kept/fstab /etc/fstab; setfacl -m u:ops:r /etc/kept/fstab\n"
        + with_file(1, EXT4)
        + 'mkdir -p /mnt/longhorn/d1; echo "$(readlink -f $p) /mnt/longhorn/d1 ext4 noatime,commit=30 0 2" >> /etc/fstab; '
        + "mount /mnt/longhorn/d1; chown 1000:1000 /mnt/longhorn/d1; chmod 2775 /mnt/longhorn/d1"
    )
    [told] = plan(machine, disk(1))["disks"]
    assert "noatime,commit=30,nofail" in "\n".join(told["notes"])
    [done] = apply(machine, disk(1))["disks"]
    assert done["action"] == "adopt"
    assert machine.root("stat -c '%u %g %a' /mnt/longhorn/d1") == "1000 1000 2775\n"
    assert "noatime,commit=30,nofail" in machine.root("grep longhorn/d1 /etc/fstab")
    assert machine.root("readlink /etc/fstab; getfacl -c /etc/fstab | grep ops") == "kept/fstab\nuser:ops:r--\n"
    assert not apply(machine, disk(1))["changed"]


def test_a_wiped_table_of_ours_comes_back_and_a_copy_inside_a_volume_group_is_a_twin(machine: Machine) -> None:
    apply(machine, disk(1))
    machine.root(
        "echo data > /mnt/longhorn/d1/data; umount /mnt/longhorn/d1; "
        f"sgdisk --zap-all {path(1)} >/dev/null; blockdev --rereadpt {path(1)}; udevadm settle"
    )
    [told] = plan(machine, disk(1))["disks"]
    assert (told["action"], told["tasks"][0]) == ("resume", "partition")
    apply(machine, disk(1))
    machine.root(f"grep -q data /mnt/longhorn/d1/data; sgdisk --verify {path(1)} | grep 'No problems'")
    machine.root(
        f"umount /mnt/longhorn/d1; vgcreate -qq vg9 {path(2)} {path(3)}; lvcreate -qq -y -n copy -L 400M vg9; "
        f"dd if={path(1)}-part1 of=/dev/vg9/copy bs=1M status=none; udevadm settle"
    )
    before = digests(machine, [1, 2, 3])
    assert "is also on" in refused(machine, disk(1))["d1"]
    assert digests(machine, [1, 2, 3]) == before


NAMESPACES = (
    "nvme-subsys,id=subsys,nqn=subsys",
    "nvme,id=nvme0,serial=NV-1,subsys=subsys",
    "nvme-ns,drive=ns1,bus=nvme0,nsid=1,uuid=00000000-0000-4000-8000-000000000001",
    "nvme-ns,drive=ns2,bus=nvme0,nsid=2,uuid=00000000-0000-4000-8000-000000000002",
    "scsi-hd,drive=large,serial=WD-4KN,wwn=0x50014ee00000004b,bus=scsi0.0,logical_block_size=4096,physical_block_size=4096",
)


def test_namespaces_of_one_controller_are_told_apart() -> None:
    """They have one serial; a disk of 2 TiB, with sectors of 4 KiB, is looked at in bounded time and prepared."""
    with Machine([]) as machine:
        more = []
        for name, size in (("ns1", "400M"), ("ns2", "400M"), ("large", "2T")):
            machine.make_disk(DiskSpec(name, "", size))
            more += ["-drive", f"file={machine.home / name}.qcow2,if=none,id={name},format=qcow2,cache=unsafe"]
        for device in NAMESPACES:
            more += ["-device", device]
        machine.power_off()
        machine.start(more=more)
        assert "found twice" in refused(machine, disk(1, serial="NV-1"))["d1"]
        second = machine.root("cat /sys/block/nvme0n2/wwid").strip()
        wanted = [disk(1, serial="NV-1", wwn=second), disk(2, serial="WD-4KN")]
        seen = looked_at(machine, *wanted)
        assert seen["d1"]["found"]["path"] == "/dev/nvme0n2"
        done = apply(machine, *wanted)
        assert {one["action"] for one in done["disks"]} == {"prepare"}
        assert not apply(machine, *wanted)["changed"]
        assert machine.root("blkid -p /dev/nvme0n1 || echo blank") == "blank\n"
