"""The rules for disks, row by row of the table, on hosts that are made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fluxstead.hosts.script.consent import FRESH
from fluxstead.hosts.script.gpt import PREPARING, partition_guid
from fluxstead.hosts.script.model import MIB, FoundDisk, Host, Look, Place, Signature, label_of
from fluxstead.hosts.script.text import said

from .world import (
    BY_ID,
    DIGEST,
    EMPTY,
    FILES,
    GIB,
    PATH,
    REPLICAS,
    SERIAL,
    UUID,
    blank,
    declared,
    filesystem,
    holding,
    host,
    ours,
    part,
    refused,
    right_line,
    right_place,
    verdict,
    whole,
)

CONSENT = f"{SERIAL}/{DIGEST}"


def test_ours_and_as_declared_is_left_alone() -> None:
    answer = verdict(host(ours(), place=right_place()))
    assert (answer.action, answer.tasks, answer.filesystem) == ("nothing", (), UUID)


def test_ours_not_mounted_is_mended_without_touching_data() -> None:
    answer = verdict(host(ours(mounted=False, look=REPLICAS), place=Place()))
    assert answer.action == "mend"
    assert answer.tasks == ("mountpoint", "fstab", "mount")


@pytest.mark.parametrize(
    "line",
    [
        f"/dev/sda1 {PATH} ext4 defaults,nofail,x-systemd.device-timeout=30s 0 2",
        f"UUID={UUID} {PATH} ext4 defaults,x-systemd.device-timeout=30s 0 2",
        f"UUID={UUID} {PATH} ext4 defaults,nofail 0 2",
    ],
)
def test_u03_a_line_by_name_or_without_nofail_is_mended(line: str) -> None:
    place = replace(right_place(), fstab=(line,), own=())
    disk = replace(ours(), fstab=((PATH, line),))
    assert verdict(host(disk, place=place)).tasks == ("fstab",)


def test_a_line_for_another_disk_at_the_path_is_replaced_only_where_this_script_wrote_it() -> None:
    """The line may belong to a disk that is unplugged at the moment."""
    line = f"UUID=22222222-1111-1111-1111-111111111111 {PATH} ext4 nofail,x-systemd.device-timeout=30s 0 2"
    place = replace(right_place(), fstab=(line,), own=(line,))
    assert verdict(host(ours(), place=place)).tasks == ("fstab",)
    for disk in (blank(), ours(), ours(mounted=False)):
        assert "/etc/fstab mounts something else" in refused(host(disk, place=Place(fstab=(line,))))


def test_further_options_of_the_operators_line_are_kept() -> None:
    line = f'UUID="{UUID}" {PATH}/ ext4 noatime,nofail,x-systemd.device-timeout=5s 0 0'
    assert verdict(host(ours(), place=replace(right_place(), fstab=(line,), own=(line,)))).action == "nothing"


def by_hand(**changes: object) -> FoundDisk:
    """A disk that an operator prepared."""
    volume = part(signatures=filesystem(label="data"), mounts=(PATH,), look=REPLICAS)
    return replace(holding(replace(volume, **changes)), busy=True)  # type: ignore[arg-type]


def test_prepared_by_hand_is_adopted_with_its_data() -> None:
    line = f"/dev/sda1 {PATH} ext4 defaults 0 2"
    found = host(replace(by_hand(), fstab=((PATH, line),)), place=Place("/dev/sda1", fstab=(line,)))
    answer = verdict(found, declared(serial=None, device="/dev/sda"))
    assert answer.action == "adopt"
    assert answer.tasks == ("fstab", "label", "underneath")


def test_adoption_keeps_options_and_owner_and_lists_what_it_changes() -> None:
    line = f"/dev/sda1 {PATH} ext4 noatime,commit=30 0 2"
    look = Look(open_to_all=True)
    found = host(replace(by_hand(look=look), fstab=((PATH, line),)), place=Place("/dev/sda1", fstab=(line,)))
    told = "\n".join(verdict(found).notes)
    assert f"UUID={UUID} {PATH} ext4 noatime,commit=30,nofail,x-systemd.device-timeout=90s 0 2" in told
    assert line in told
    assert f"data, becomes {label_of('a', SERIAL)}" in told
    assert "chattr +i" in told
    assert "others than root may write" in told
    assert "owner" not in verdict(found).tasks


@pytest.mark.parametrize("device", ["/dev/disk/by-id/usb-Generic", "/dev/sda"])
def test_u01_a_name_that_can_move_never_leads_to_formatting(device: str) -> None:
    found = host(blank(links=("/dev/disk/by-id/usb-Generic",)))
    answer = verdict(found, declared(serial=None, device=device))
    assert answer.action == "refuse"
    assert answer.write == f'serial: "{SERIAL}"'


def test_a_by_id_name_with_the_serial_in_it_is_enough() -> None:
    assert verdict(host(blank()), declared(serial=None, device=BY_ID)).action == "prepare"


def test_adoption_is_refused_when_longhorn_knows_the_disk_by_another_name() -> None:
    look = Look(config='{"diskName": "b", "diskUUID": "u"}')
    assert "names another disk, b" in refused(host(by_hand(look=look), place=right_place()))


def test_f12_a_broken_config_is_removed_only_from_an_empty_disk() -> None:
    for text in ("", "{}", "[]", "nonsense", '{"diskUUID": ""}'):
        empty = ours(look=Look(config=text))
        assert verdict(host(empty, place=right_place())).tasks == ("config",)
        holds = ours(look=Look(config=text, replicas=("replicas/p",)))
        assert "evict them first" in refused(host(holds, place=right_place()))
    known = ours(look=Look(config='{"diskUUID": "u"}', replicas=("replicas/p",)))
    assert verdict(host(known, place=right_place())).tasks == ()


def test_blank_is_prepared_in_the_only_order_that_works() -> None:
    answer = verdict(host(blank()))
    assert (answer.action, answer.tasks) == ("prepare", FRESH)


FOREIGN = {
    "filesystem": holding(part(signatures=filesystem(), look=FILES)),
    "empty filesystem": holding(part(signatures=filesystem(), look=EMPTY)),
    "empty partition": holding(part()),
    "whole disk": blank(volumes=(whole(signatures=filesystem("xfs"), look=FILES),), edges="other"),
    "lvm": holding(part(signatures=filesystem("LVM2_member"))),
    "raid": holding(part(signatures=filesystem("linux_raid_member"))),
    "zfs": blank(volumes=(whole(signatures=filesystem("zfs_member")),), edges="other"),
    "luks": holding(part(signatures=filesystem("crypto_LUKS"))),
    "unused swap": holding(part(signatures=filesystem("swap"))),
    "bytes without a signature": blank(edges="other"),
    "a signature, and zeros wherever else was looked": blank(volumes=(whole(signatures=filesystem("crypto_LUKS")),)),
    "table without partitions": blank(volumes=(whole(signatures=(Signature("dos", 510),)),), edges="other"),
    "our label for another serial": holding(part(signatures=filesystem(label=label_of("a", "WD-2")), look=EMPTY)),
    "our table from another serial": holding(part(partition_guid=partition_guid("WD-2"), partition_name=PREPARING)),
    "ends that are zero, and something between": blank(inside="not zero at 2 MiB"),
    "our torn table, and something behind it": blank(edges="table", table_name=PREPARING, inside="not zero at 2 MiB"),
    "a filesystem of a wiped table": blank(hidden=(Signature("ext4", 2 * MIB),), inside="not zero at 2 MiB"),
}


@pytest.mark.parametrize("state", sorted(FOREIGN))
def test_u02_content_that_is_not_ours_goes_only_by_consent_to_exactly_this(state: str) -> None:
    found = host(FOREIGN[state])
    answer = verdict(found)
    assert answer.action == "refuse"
    assert answer.write == f"wipe: {CONSENT}"
    assert SERIAL in said(answer)
    assert f"wipe: {CONSENT}" in said(answer)
    for other in ("WD-2/" + DIGEST, SERIAL + "/" + "0" * 24, SERIAL, "yes"):
        assert "is for another disk, for other content, or over" in refused(found, declared(wipe=other))
    consented = verdict(found, declared(wipe=CONSENT))
    assert consented.action == "wipe"
    assert consented.tasks == ("wipe", *FRESH)


NEVER = {
    "lives on it: /": replace(ours(), uses=("/",)),
    "lives on it: /var/lib/rancher": replace(FOREIGN["filesystem"], uses=("/var/lib/rancher",)),
    "swap in use": holding(part(signatures=filesystem("swap"), swap=True), busy=True),
    "less than the declared": blank(size=4 * GIB),
    "read-only": blank(read_only=True),
    "SMART": blank(smart="failing"),
    "input/output error": blank(dead="input/output error"),
    "neither a mount, nor swap, nor a process": blank(busy=True),
    "qemu (pid 4) has it open": blank(held_by=("qemu (pid 4) has it open",), busy=True),
    "udevadm trigger": blank(doubt="the kernel says serial B, udev's database A"),
    "umount /srv": holding(part(signatures=filesystem(), mounts=("/srv",), look=FILES), busy=True),
    "journal holds what is not in its folders": holding(part(signatures=filesystem(), look=Look(dirty=True))),
    "could not be looked into": holding(part(signatures=filesystem(), look=Look(problem="block size 65536"))),
    "into which nothing looks here": holding(part(signatures=filesystem("btrfs"))),
    "f2fs": holding(part(signatures=filesystem("f2fs"))),
    "has no serial or WWN": holding(part(signatures=filesystem("vfat")), confirmed=False),
    "holds Longhorn replicas": holding(part(signatures=filesystem(), look=REPLICAS)),
    "Longhorn replicas (/dev/sda1:replicas/pvc-1)": holding(part(signatures=filesystem("xfs"), look=REPLICAS)),
    "in use by /dev/dm-0": holding(part(signatures=filesystem("LVM2_member")), stacked=("/dev/dm-0",), busy=True),
    "/etc/fstab mounts it at /srv": holding(part(signatures=filesystem()), fstab=(("/srv", "UUID=… /srv"),)),
}


@pytest.mark.parametrize("why", sorted(NEVER))
def test_some_disks_are_refused_even_with_consent(why: str) -> None:
    assert why in refused(host(NEVER[why]), declared(wipe=CONSENT))


def test_found_twice_is_refused_with_both() -> None:
    twin = blank(path="/dev/sdb", volumes=(whole("/dev/sdb"),), links=("/dev/disk/by-id/other",))
    text = refused(host(blank(), twin))
    assert "found twice" in text
    assert "/dev/sda" in text
    assert "/dev/sdb" in text


def test_two_disks_with_one_filesystem_uuid_are_refused() -> None:
    found = host(ours(), place=right_place(), uuids={UUID: ("/dev/sda", "/dev/sdb")})
    assert f"UUID {UUID} is also on /dev/sdb" in refused(found)


def test_absent_names_the_way_to_go_on() -> None:
    assert "./run render" in refused(host(blank(serials=("WD-2",))))


def test_u01_a_device_that_is_another_disk_than_its_serial_is_refused() -> None:
    moved = blank(path="/dev/sdg", volumes=(whole("/dev/sdg"),))
    other = blank(serials=("WD-2",), links=(), wwn="")
    answer = verdict(host(other, moved), declared(device="/dev/sda"))
    assert "do not agree" in said(answer)
    assert answer.write == f"device: {BY_ID}"


def test_a_partition_is_not_a_disk() -> None:
    found = host(FOREIGN["filesystem"])
    assert "is a partition of /dev/sda" in refused(found, declared(device="/dev/sda1", serial=None))


def test_f13_one_disk_or_one_path_declared_twice_is_refused() -> None:
    assert "are both" in refused(host(blank()), declared(), declared(name="b", mount_path="/mnt/b"))
    assert "same mountPath" in refused(host(blank()), declared(), declared(name="b", serial="WD-2"))
    assert "lies inside" in refused(host(blank()), declared(), declared(name="b", serial="WD-2", mount_path="/mnt"))
    assert "named a" in refused(host(blank()), declared(), declared(serial="WD-2", mount_path="/mnt/b"))


def test_f24_a_mount_path_that_holds_files_is_not_covered() -> None:
    assert "not empty (replicas)" in refused(host(blank(), place=Place(entries=("replicas",))))
    assert "symbolic link" in refused(host(blank(), place=Place(real=False)))
    assert "/dev/sdb1 is mounted there" in refused(host(blank(), place=Place("/dev/sdb1")))


def test_a_mount_path_that_is_somebody_elses_is_not_taken() -> None:
    unit = "/etc/systemd/system/mnt-longhorn-a.mount"
    assert f"{unit} mounts something there" in refused(host(blank(), place=Place(units=(unit,))))
    assert "an automount waits" in refused(host(blank(), place=Place(automount=True)))
    assert "what is mounted at /mnt, which is not the system's" in refused(host(blank(), place=Place(below="/mnt")))
    assert f"/dev/sdb1 is mounted at {PATH} too, under /dev/sda1" in refused(
        host(ours(), place=Place("/dev/sda1", under=("/dev/sdb1",)))
    )


def test_a_message_says_what_was_seen_declared_and_to_write() -> None:
    text = refused(host(FOREIGN["filesystem"]))
    for piece in ("/dev/sda", "WD", SERIAL, "10 GiB", "ext4", "photos", "8 GiB", PATH, "To write under this disk"):
        assert piece in text


def test_the_line_for_fstab_is_read_back_as_it_was_written() -> None:
    odd = declared(mount_path="/mnt/a b\\c#d")
    place = Place("/dev/sda1", immutable=True, fstab=(right_line(odd),))
    volume = part(signatures=filesystem(label=label_of("a", SERIAL)), mounts=(odd.mount_path,), look=Look())
    found = Host((replace(holding(volume), busy=True),), {odd.mount_path: replace(place, own=place.fstab)}, {})
    assert verdict(found, odd).action == "nothing"
