"""What the hosts say beside the cluster: one trouble where it is one, and its root on the host."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fluxstead.assembly import Assembled
from fluxstead.hosts.answer import Answer, DiskAnswer
from fluxstead.live.hosts import host_troubles
from fluxstead.live.trouble import Root, roots
from tests.live.spoilt import disk, machine
from tests.live.world import World, condition, troubles_of

pytestmark = pytest.mark.reference


def told(assembled: Assembled, answer: Answer, *spoil: Callable[[World], object]) -> list[Root]:
    """What is wrong with both, at its roots."""
    nodes = [node for node in assembled.description.nodes if node.state == "live"]
    return roots([*host_troubles(nodes, {node.name: answer for node in nodes}), *troubles_of(assembled, *spoil)])


def test_of_a_host_that_is_as_described_nothing_is_said(assembled: Assembled) -> None:
    assert told(assembled, Answer("fine")) == []


def test_a_disk_that_is_not_mounted_explains_what_longhorn_says_of_it(assembled: Assembled) -> None:
    """F24: one trouble, and what to type is on the host."""
    unmounted = DiskAnswer("sdf1", "/mnt/longhorn/sdf1", "mend", ("it is not mounted",), "", "", "", None, ())
    lost = [condition("Ready", "False", reason="DiskFilesystemChanged", message="record diskUUID doesn't match")]
    [root] = told(assembled, Answer("fine", disks=(unmounted,)), disk("sdf1", conditions=lost))
    assert "on its host: it is not mounted" in root.trouble.says
    assert "pulumi up" in root.trouble.do
    assert ["record diskUUID" in one.says for one in root.explains] == [True]


def test_a_host_that_cannot_be_reached_explains_its_silence(assembled: Assembled) -> None:
    """The machine is off: one trouble."""
    silent = Answer("failed", ("ssh: connect to host 192.0.2.1 port 22: No route to host",))
    [root] = told(assembled, silent, machine(Ready=("Unknown", "Kubelet stopped posting node status.")))
    assert str(root.trouble.subject) == "host k3s1"
    assert [str(one.subject) for one in root.explains] == ["machine k3s1"]


def test_a_small_thing_on_a_host_explains_no_silence(assembled: Assembled) -> None:
    """Both are told."""
    small = Answer("fine", system=({"item": "journald", "state": "due", "why": "it may fill the disk"},))
    found = told(assembled, small, machine(Ready=("Unknown", "Kubelet stopped posting node status.")))
    assert sorted(str(one.trouble.subject) for one in found) == ["host k3s1", "machine k3s1"]


def test_copies_of_one_installation_are_one_trouble(assembled: Assembled) -> None:
    [node] = [node for node in assembled.description.nodes if node.state == "live"]
    copied = Answer("fine", system=({"item": "initiator name", "state": "fine", "why": "iqn.1993-08.org.debian:01:abc"},))
    nodes = [node.model_copy(update={"name": name}) for name in ("k3s1", "k3s2")]
    [root] = roots(list(host_troubles(nodes, {one.name: copied for one in nodes})))
    assert str(root.trouble.subject) == "hosts k3s1 and k3s2"
    assert "one iSCSI initiator name, iqn.1993-08.org.debian:01:abc" in root.trouble.says
    assert root.trouble.do.startswith("on all but one: echo InitiatorName=$(sudo iscsi-iname)")


def test_a_restart_that_is_due_is_only_worth_knowing(assembled: Assembled) -> None:
    due = Answer("fine", restart="/etc/rancher/k3s/config.yaml is newer than the running k3s: systemctl restart k3s")
    [root] = told(assembled, due)
    assert root.trouble.gravity == "warning"
    assert root.trouble.do == "on k3s1: sudo systemctl restart k3s"
