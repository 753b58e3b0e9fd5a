"""The file that `./run hosts discover` prints is one that the description's reader takes, whatever the host says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from fluxstead.core.quantity import Quantity
from fluxstead.hosts.answer import Answer
from fluxstead.hosts.discover import Met, met, node_file
from fluxstead.hosts.trouble import Way
from fluxstead.nodes.model import Node

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
MET = Met("192.0.2.1", "192.0.2.1", 22, "ops", KEY, "arm64")
HOSTILE = ["a\nrole: evil", "'", '"', "a: b # c", "\u2028x", "*", "yes", "0123", "{}"]


def disk(**changes: Any) -> dict[str, Any]:
    links = ["/dev/disk/by-id/wwn-0x5001", f"/dev/disk/by-id/ata-WD_{changes.get('serial', 'WD-S1')}", "/dev/disk/by-id/scsi-3500"]
    plain = {"path": "/dev/sda", "links": links, "model": "WD", "serial": "WD-S1", "wwn": "", "size": 500 * 10**9}
    return {**plain, "contents": "blank", "uses": [], "mounts": [], "smart": "passed", **changes}


def read(*disks: dict[str, Any], met: Met = MET) -> Node:
    """The file, as the description's reader takes it."""
    return Node.model_validate({"name": "k3s1", **yaml.safe_load(node_file("edge", met, disks))})


def test_a_blank_disk_is_declared_by_what_does_not_move() -> None:
    node = read(disk())
    assert (node.cluster, str(node.address), node.state) == ("edge", "192.0.2.1", "planned")
    assert (node.ssh.user, node.ssh.host_key, node.ssh.address, node.ssh.port) == ("ops", KEY, None, 22)
    [one] = node.disks
    assert (one.device, one.serial, str(one.size)) == ("/dev/disk/by-id/ata-WD_WD-S1", "WD-S1", "465Gi")
    assert one.mount_path == f"/mnt/longhorn/{one.name}"


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        ({"contents": "/dev/sda1 (1 GiB): ext4 photos"}, "ext4 photos"),
        ({"mounts": ["/srv"]}, "mounted at /srv"),
        ({"uses": ["/", "swap"]}, "/; swap"),
    ],
)
def test_a_disk_in_use_stands_in_comments_with_the_reason(use: dict[str, Any], reason: str) -> None:
    text = node_file("edge", MET, (disk(**use), disk(path="/dev/sdb", serial="WD-S2")))
    [comment] = [line for line in text.splitlines() if "/dev/sda is in use: " in line]
    assert comment.startswith("  # ")
    assert comment.endswith(reason)
    assert [one.serial for one in read(disk(**use), disk(path="/dev/sdb", serial="WD-S2")).disks] == ["WD-S2"]
    assert read(disk(**use)).disks == ()


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_words_of_a_disk_stay_words(value: str) -> None:
    node = read(disk(model=value, serial=value, links=[f"/dev/disk/by-id/{value}", "/dev/disk/by-id/ata-x"]))
    assert node.role == "agent"
    [one] = node.disks
    assert one.serial == value
    assert read(disk(model=value, contents=value, mounts=[value])).disks == ()
    assert yaml.safe_load(node_file("edge", replace(MET, user=value), ()))["ssh"]["user"] == value


def test_behind_a_forwarded_port_both_addresses_are_kept() -> None:
    """Other nodes reach it at its own address, the preparation at the forwarded one."""
    node = read(disk(), met=replace(MET, dialled="127.0.0.1", port=2222))
    assert (str(node.address), str(node.dialled_at), node.ssh.port) == ("192.0.2.1", "127.0.0.1", 2222)


def test_a_name_that_ssh_knows_is_not_taken_for_an_address() -> None:
    node = read(disk(), met=replace(MET, dialled="k3s1.home.arpa"))
    assert (str(node.address), node.ssh.address) == ("192.0.2.1", None)


def test_without_a_host_key_the_host_is_left_alone() -> None:
    assert read(disk(), met=replace(MET, host_key="")).ssh.host_key is None


def test_small_disks_are_not_rounded_to_nothing() -> None:
    assert read(disk(size=400 * 1024**2)).disks[0].size == Quantity("400Mi")


def test_what_a_host_says_of_itself_is_kept_with_where_ssh_went() -> None:
    answer = Answer("fine", address="192.0.2.1", host_key=KEY, machine="aarch64")
    found = met(answer, Way("ops@fresh", 2222, dialled="127.0.0.1"))
    assert found == Met("192.0.2.1", "127.0.0.1", 2222, "ops", KEY, "arm64")
    assert read(disk(), met=found).architecture == "arm64"
    assert met(Answer("fine", address="2001:db8::1"), Way("ops@fresh")).address == "2001:db8::1"


@pytest.mark.parametrize("said", ["Welcome!", "ssh-rsa AAAA", "ssh-ed25519", "1.2.3.4 5", "a\nb", KEY + "\nrole: evil"])
def test_what_is_no_key_and_no_address_is_left_out(said: str) -> None:
    found = met(Answer("fine", address=said, host_key=said, machine=said), Way("ops@192.0.2.1"))
    assert (found.address, found.host_key) == ("", "")
    assert read(disk(), met=found).architecture is None
    assert str(read(disk(), met=found).address) == "192.0.2.1"
