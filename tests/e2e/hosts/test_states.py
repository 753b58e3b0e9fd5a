"""Every row of the table of what is found on a disk, on a real machine, with disks compared by digest."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from fluxstead.hosts.build import stdin_for

from .support import (
    EXT4,
    WRITTEN,
    XFS,
    apply,
    at_rest,
    digests,
    disk,
    node,
    partitioned,
    patched,
    path,
    plan,
    refused,
    result_of,
    with_file,
)
from .vm import Machine

pytestmark = pytest.mark.machine
ALL = range(1, 7)


def test_blank_disks_are_prepared_once_and_then_left_byte_for_byte(
    machine: Machine, record_property: Callable[[str, object], None]
) -> None:
    wanted = (
        disk(1),
        disk(2, filesystem="xfs"),
        disk(3, serial=None, device="/dev/disk/by-id/scsi-350014ee000000003", wwn="50014ee000000003"),
    )
    tasks = {one["name"]: one["tasks"] for one in plan(machine, *wanted)["disks"]}
    began = time.monotonic()
    first = apply(machine, *wanted)
    took = time.monotonic() - began
    assert {one["name"]: one["done"] for one in first["disks"]} == tasks
    assert {one["action"] for one in first["disks"]} == {"prepare"}
    machine.root(f"sgdisk --verify {path(1)} | grep 'No problems'; e2fsck -fn {path(1)}-part1; systemctl is-active iscsid")
    assert machine.ssh("sudo -n touch /mnt/longhorn/d1/x && echo yes").out == "yes\n"
    state = "cat /etc/fstab; find /etc -xdev -printf '%p %s %T@ %i\n' | sort; "
    at_rest(machine)
    before, written, untouched = machine.root(state), machine.root(WRITTEN), digests(machine, [4, 5, 6])
    began = time.monotonic()
    for _ in range(10):
        again = apply(machine, *wanted)
        assert not again["changed"]
        assert {one["action"] for one in again["disks"]} == {"nothing"}
    unchanged = (time.monotonic() - began) / 10
    assert machine.root(state) == before
    assert machine.root(WRITTEN) == written
    assert digests(machine, [4, 5, 6]) == untouched
    record_property("one host with three disks, seconds: first preparation, unchanged", f"{took:.1f}, {unchanged:.1f}")
    machine.power_cut()
    after = plan(machine, *wanted)["disks"]
    assert {one["action"] for one in after} == {"nothing"}, (after, machine.root("systemctl --failed --no-pager; cat /etc/fstab"))
    machine.root("umount /mnt/longhorn/d1; ! touch /mnt/longhorn/d1/stray")
    mended = apply(machine, *wanted)["disks"][0]
    assert (mended["action"], mended["done"]) == ("mend", ["mount"])
    machine.root(r"sed -i 's|^UUID=\S* /mnt/longhorn/d1|/dev/sda1 /mnt/longhorn/d1|' /etc/fstab")
    assert apply(machine, *wanted)["disks"][0]["done"] == ["fstab"]
    assert "x" in machine.root("ls /mnt/longhorn/d1")


def consented(machine: Machine, count: int, always: dict[int, str]) -> None:
    """All of the disks are refused and stay as they are; consent then prepares all but those refused for always."""
    wanted = [disk(number) for number in range(1, count + 1)]
    before = digests(machine, ALL)
    seen = {one["name"]: one for one in plan(machine, *wanted)["disks"]}
    assert {one["action"] for one in seen.values()} == {"refuse"}, seen
    assert set(refused(machine, *wanted)) == set(seen)
    assert digests(machine, ALL) == before
    for number, why in always.items():
        assert why in seen[f"d{number}"]["message"], seen[f"d{number}"]
        found = seen[f"d{number}"]["found"]
        wipe = seen[f"d{number}"]["write"].removeprefix("wipe: ") or f"{found['serial']}/{'0' * 24}"
        assert refused(machine, disk(number, wipe=wipe))
    assert digests(machine, ALL) == before
    agreed = [
        {**one, "wipe": seen[str(one["name"])]["write"].removeprefix("wipe: ")}
        for number, one in enumerate(wanted, 1)
        if number not in always
    ]
    assert refused(machine, *({**one, "wipe": f"WD-FS9999/{one['wipe']}"} for one in agreed))
    assert digests(machine, ALL) == before
    done = apply(machine, *agreed)
    assert {one["action"] for one in done["disks"]} == {"wipe"}
    others = [number for number in ALL if number in always or number > count]
    after = digests(machine, others)
    assert after == {number: before[number] for number in others}
    assert not apply(machine, *agreed)["changed"]


def test_filesystems_and_unused_members_go_only_by_consent(machine: Machine) -> None:
    machine.root(
        with_file(1, EXT4)
        + with_file(2, XFS)
        + partitioned(3, "8e00")
        + "pvcreate -qq -y $p; vgcreate -qq vg0 $p; vgchange -qq -an vg0\n"
        + partitioned(4)
        + "echo secret | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $p -\n"
        + f"mkswap -q {path(5)}\n"
        + f"mdadm --create /dev/md9 --quiet --run --level=1 --raid-devices=2 --metadata=1.2 {path(6)} missing; "
        + "udevadm settle; mdadm --stop --quiet /dev/md9; udevadm settle"
    )
    consented(machine, 6, {})


def test_odd_leftovers_go_only_by_consent(machine: Machine) -> None:
    machine.root(
        f"mkfs.exfat {path(1)} >/dev/null; "
        f"head -c 4096 /dev/urandom | dd of={path(2)} bs=4096 seek=3 conv=notrunc status=none; "
        f"head -c 512 /dev/urandom | dd of={path(3)} bs=512 seek=$((400*2048-5)) conv=notrunc status=none\n"
        + with_file(4, EXT4)
        + f"dd if=/dev/zero of={path(4)} bs=1M count=1 conv=notrunc status=none; "
        + f"dd if=/dev/zero of={path(4)} bs=1M seek=399 count=1 conv=notrunc status=none; blockdev --rereadpt {path(4)}; "
        + f"echo 'label: dos' | sfdisk -q {path(5)}\n"
        + partitioned(6)
        + "mkfs.vfat $p >/dev/null; udevadm settle; mkdir -p /srv/old; mount $p /srv/old; echo x > /srv/old/x; umount /srv/old"
    )
    consented(machine, 6, {})


def test_what_is_in_use_or_holds_replicas_is_refused_for_always(machine: Machine) -> None:
    replica = "replicas/pvc-1/volume.meta"
    machine.root(
        with_file(1, EXT4, replica)
        + with_file(2, XFS, "old/longhorn/" + replica)
        + "mkdir -p /srv/replicas; mount $p /srv/replicas\n"
        + partitioned(3, "8e00")
        + "pvcreate -qq -y $p; vgcreate -qq vg1 $p; lvcreate -qq -y -n data -L 100M vg1; mkfs.ext4 -q /dev/vg1/data\n"
        + f"mkswap -q {path(4)}; swapon {path(4)}; "
        + f"mdadm --create /dev/md8 --quiet --run --level=1 --raid-devices=2 --metadata=1.2 {path(5)} missing\n"
        + with_file(6, EXT4)
        + "mkdir -p /var/lib/rancher; mount $p /var/lib/rancher; sync"
    )
    always = {
        1: "holds Longhorn replicas",
        2: "mounted at /srv/replicas: umount /srv/replicas",
        3: "in use by /dev/dm-0",
        4: "swap in use",
        5: "in use by /dev/md",
        6: "/var/lib/rancher",
    }
    consented_nothing(machine, always)


def consented_nothing(machine: Machine, always: dict[int, str]) -> None:
    """None of the disks can be consented to."""
    wanted = [disk(number) for number in always]
    before = digests(machine, [1, 2, 3, 5])
    seen = {one["name"]: one for one in plan(machine, *wanted)["disks"]}
    for number, why in always.items():
        one = seen[f"d{number}"]
        assert why in one["message"], one
        assert "wipe" not in one["write"], one
    assert set(refused(machine, *wanted)) == set(seen)
    root = machine.root("readlink -f $(findmnt -n -o SOURCE /)").strip()
    answer = plan(machine, disk(1, serial=None, device=root, size=0))["disks"][0]
    assert "the system lives on it: /" in answer["message"]
    assert "/boot" in answer["message"]
    assert digests(machine, [1, 2, 3, 5]) == before


def test_hardware_that_is_not_as_declared_or_does_not_answer_is_refused(machine: Machine) -> None:
    """And a blank disk beside it, which alone would be prepared, stays blank."""
    sysfs = f"/sys/block/$(basename $(readlink -f {path(3)}))/device/state"
    machine.root(f"blockdev --setro {path(2)}; echo offline > {sysfs}")
    before = digests(machine, ALL)
    messages = refused(machine, disk(1, size=2**30), disk(2), disk(3), disk(9), disk(4))
    assert set(messages) == {"d1", "d2", "d3", "d9"}
    assert "less than the declared" in messages["d1"]
    assert "it is read-only" in messages["d2"]
    assert "it does not answer" in messages["d3"]
    assert "no disk of this host has serial WD-FS0009" in messages["d9"]
    assert all("./run render" in messages[name] for name in ("d3", "d9"))
    assert digests(machine, ALL) == before


def test_a_disk_that_hangs_is_refused_and_the_others_are_told(machine: Machine) -> None:
    machine.root("echo 3 > /proc/sys/vm/drop_caches")
    with machine.hanging(2):
        told = {one["name"]: one for one in plan(machine, disk(1), disk(2), disk(3))["disks"]}
        done = apply(machine, disk(1))
    assert {name: one["action"] for name, one in told.items()} == {"d1": "prepare", "d2": "refuse", "d3": "prepare"}
    assert done["disks"][0]["action"] == "prepare", "without the disk in the description, the rest goes on"
    assert "it does not answer: no answer within" in told["d2"]["message"]
    assert "./run render" in told["d2"]["message"]


@pytest.mark.parametrize(
    ("task", "bound", "said"),
    [("wipe", "WRITE", "no answer within"), ("partition", "WRITE", "no answer within"), ("format", "WRITE", "no answer within")],
)
def test_a_disk_that_hangs_while_it_is_worked_on_ends_the_run_and_is_resumed(
    task: str, bound: str, said: str, machine: Machine
) -> None:
    """What waits in the kernel cannot be killed: the run ends without it, and so does the ssh that carried it."""
    machine.root(with_file(1, EXT4))
    wanted = disk(1, wipe=plan(machine, disk(1))["disks"][0]["write"].removeprefix("wipe: ")), disk(2)
    wait = f"""
do_at_once = TASKS["{task}"]
def do_when_it_hangs(verdict, disk):
    open("/run/ready", "w").close()
    while not os.path.exists("/run/hanging"):
        time.sleep(0.2)
    do_at_once(verdict, disk)
TASKS["{task}"] = do_when_it_hangs
{bound}_SECONDS = 20
"""
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(machine.script, stdin_for("apply", node(*wanted), patched(wait)))
        machine.root("until [ -e /run/ready ]; do sleep 0.5; done", 300)
        with machine.hanging(1):
            machine.root("echo 3 > /proc/sys/vm/drop_caches; touch /run/hanging")
            done = going.result()
    assert done.status == 3, (done.out[-3000:], done.err[-3000:])
    assert f"{said} 20 s" in result_of(done)["why"][0]
    assert {one["mountPath"] for one in apply(machine, *wanted)["disks"]} == {"/mnt/longhorn/d1", "/mnt/longhorn/d2"}
    assert {one["action"] for one in plan(machine, *wanted)["disks"]} == {"nothing"}


def test_consent_is_void_once_anything_was_written(machine: Machine) -> None:
    machine.root(with_file(1, EXT4))
    first = plan(machine, disk(1))["disks"][0]["write"].removeprefix("wipe: ")
    assert plan(machine, disk(1))["disks"][0]["write"] == f"wipe: {first}"
    machine.root(f"mount {path(1)}-part1 /mnt; echo more > /mnt/new; umount /mnt")
    text = refused(machine, disk(1, wipe=first))["d1"]
    assert "for another disk, for other content, or over" in text
    second = plan(machine, disk(1))["disks"][0]["write"].removeprefix("wipe: ")
    assert second != first
    assert apply(machine, disk(1, wipe=second))["disks"][0]["action"] == "wipe"
    machine.root("echo data > /mnt/longhorn/d1/data; sync")
    assert apply(machine, disk(1, wipe=second))["disks"][0]["action"] == "nothing"
    machine.root("grep -q data /mnt/longhorn/d1/data")


def test_disks_prepared_by_hand_are_adopted_with_their_data(machine: Machine) -> None:
    machine.root(
        with_file(1, EXT4, "replicas/pvc-1/volume.meta")
        + 'mkdir -p /mnt/longhorn/d1 /mnt/longhorn/d2; echo "$(readlink -f $p) /mnt/longhorn/d1 ext4 defaults 0 2" '
        + '>>/etc/fstab; mount /mnt/longhorn/d1; echo \'{"diskUUID":"u","diskName":"d1"}\' '
        + ">/mnt/longhorn/d1/longhorn-disk.cfg\n"
        + with_file(2, XFS, "longhorn-disk.cfg")
        + "mount $p /mnt/longhorn/d2; echo '{}' >/mnt/longhorn/d2/longhorn-disk.cfg"
    )
    files = "cd /mnt/longhorn/d1; find . -type f -exec md5sum {} +"
    before = machine.root(files)
    wanted = disk(1), disk(2, filesystem="xfs")
    done = apply(machine, *wanted)["disks"]
    assert [one["action"] for one in done] == ["adopt", "adopt"]
    assert [one["done"] for one in done] == [["fstab", "label", "underneath"], ["fstab", "config", "label", "underneath"]]
    assert machine.root(files) == before
    assert machine.root("ls -A /mnt/longhorn/d2") == ""
    assert not apply(machine, *wanted)["changed"]
    machine.power_cut()
    assert {one["action"] for one in plan(machine, *wanted)["disks"]} == {"nothing"}
    assert machine.root(files) == before
    machine.root("sed -i '/longhorn/d' /etc/fstab; umount /mnt/longhorn/d1 /mnt/longhorn/d2; systemctl daemon-reload")
    again = apply(machine, *wanted)["disks"]
    assert [one["action"] for one in again] == ["mend", "mend"], "a reinstalled host finds its disks by their labels"
    assert machine.root(files) == before
    assert "names another disk" in refused(machine, disk(1, name="other"))["other"]


def test_hostile_values_are_only_text(machine: Machine) -> None:
    name = "a'\"$(touch /pwned)`touch /pwned`; touch /pwned #"
    where = "/mnt/long horn/$(touch pwned)'\"\\#%s"
    wanted = disk(1, name=name, mountPath=where)
    assert apply(machine, wanted)["disks"][0]["mountPath"] == where
    assert not apply(machine, wanted)["changed"]
    found = machine.root("findmnt -n -o TARGET /dev/disk/by-id/wwn-0x50014ee000000001-part1; ls / /mnt /home/ops /root")
    assert "pwned" not in found.replace("$(touch pwned)", "")
    machine.power_cut()
    [seen] = plan(machine, wanted)["disks"]
    assert seen["action"] == "nothing", seen
    done = machine.script(stdin_for("apply", node(disk(2, mountPath="/mnt/a\nb"))))
    assert (done.status, result_of(done)["status"]) == (2, "wrong use")
