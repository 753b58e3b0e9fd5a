"""What a person reads of a host's answer: the plan's table, and what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fluxstead.hosts import report
from fluxstead.hosts.answer import Answer, DiskAnswer, K3sAnswer
from fluxstead.nodes.model import Node

FOUND = {"path": "/dev/sda", "model": "WD", "serial": "S", "smart": "passed"}
RIGHT = DiskAnswer("a", "/mnt/longhorn/a", "nothing", (), "", "", "u", FOUND, ())
FINE = Answer("fine", disks=(RIGHT,), system=({"item": "iscsid", "state": "fine", "why": "enabled, active"},))
RESTART = "/etc/rancher/k3s/config.yaml is newer than the running k3s: systemctl restart k3s"
REFUSED = replace(
    RIGHT, action="refuse", why=("it holds ext4 photos",), message="disk a: it holds ext4 photos.", write="wipe: S/0abc"
)


def node(**ssh: object) -> Node:
    plain = {"name": "k3s1", "cluster": "c", "address": "192.0.2.1", "role": "server", "state": "live"}
    return Node.model_validate({**plain, "ssh": {"user": "ops", **ssh}})


def test_a_host_as_declared_says_so_and_nothing_is_wrong_with_it() -> None:
    assert report.plan(node(), FINE).splitlines()[0] == "k3s1 (192.0.2.1): as declared"
    assert list(report.problems(node(), FINE)) == []


def test_copies_of_one_installation_are_told_by_their_initiator_name() -> None:
    named = {
        name: replace(FINE, system=({"item": "initiator name", "state": "fine", "why": name[0]},)) for name in ("a1", "a2", "b1")
    }
    assert list(report.same_initiator(named)) == [("a", ("a1", "a2"))]


def test_the_plan_is_a_table_with_a_reason_for_each_disk() -> None:
    blank = replace(RIGHT, name="longer-name", action="prepare", why=("blank",))
    text = report.plan(node(), replace(FINE, disks=(RIGHT, blank), system=({"item": "iscsid", "state": "due", "why": "inactive"},)))
    lines = text.splitlines()
    assert lines[0].endswith("work to do")
    assert lines[1].split() == ["disk", "declared", "found", "what", "happens", "why"]
    assert lines[3].split()[-4:] == ["partitioned", "and", "formatted", "blank"]
    assert len({line.index("/dev/sda") for line in lines[2:4]}) == 1
    assert lines[4] == "  iscsid: inactive"


@pytest.mark.parametrize(
    ("action", "words"),
    [("mend", "no data touched"), ("adopt", "no data touched"), ("wipe", "WIPED"), ("resume", "taken up again")],
)
def test_every_action_has_words(action: str, words: str) -> None:
    assert words in report.plan(node(), replace(FINE, disks=(replace(RIGHT, action=action, why=("because",)),)))


def test_a_refusal_is_told_in_full_and_with_what_to_write() -> None:
    text = report.plan(node(), Answer("refused", (REFUSED.message,), (REFUSED,)))
    assert text.splitlines()[0].endswith(": refused")
    assert "refused: disk a: it holds ext4 photos." in text
    assert "write, at disk a: wipe: S/0abc" in text


def test_notes_and_a_due_restart_are_told() -> None:
    text = report.plan(node(), replace(FINE, disks=(replace(RIGHT, notes=("labelled by hand",)),), restart="systemctl restart k3s"))
    assert "a: note: labelled by hand" in text
    assert "a restart of k3s is due: systemctl restart k3s" in text


def test_k3s_is_told_with_what_happens_to_it_and_what_stays_otherwise() -> None:
    k3s = K3sAnswer(
        "running", "v1.33.1", "", "amd64", "v1.32.5", "server", "etcd", "k3s1", True, True, "", (), ("k3s v1.32.5 runs",), ()
    )
    assert report.plan(node(), replace(FINE, k3s=k3s)).splitlines()[-2:] == [
        "  k3s: running (v1.32.5 server etcd as k3s1), Ready",
        "  k3s: differs: k3s v1.32.5 runs",
    ]
    begun = replace(k3s, ready=False, begun="first", tasks=("ready",), differs=())
    text = report.plan(node(), replace(FINE, k3s=begun))
    assert "work to do" in text
    assert "not Ready\n  k3s: its beginning was interrupted, and is carried on with\n  k3s: what happens: ready" in text
    absent = K3sAnswer("absent", "", "", "amd64", "", "", "", "", False, False, "", ("binary", "start"), (), ())
    assert report.plan(node(), replace(FINE, k3s=absent)).splitlines()[-2:] == [
        "  k3s: absent",
        "  k3s: what happens: binary, start",
    ]


def test_each_problem_is_named_with_what_to_type() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
    sick = replace(
        FINE,
        disks=(replace(RIGHT, action="mend", why=("not mounted",), found={**FOUND, "smart": "failing"}),),
        system=({"item": "iscsid", "state": "due", "why": "enabled, inactive"},),
        pressure=("the filesystem of /var/log has 3 % free",),
        restart=RESTART,
    )
    assert list(report.problems(node(hostKey=key), sick)) == [
        report.HostProblem("not mounted", "pulumi up", "a"),
        report.HostProblem("SMART says that it is failing", "evict: true at the disk, then replace it", "a", "write"),
        report.HostProblem("iscsid: enabled, inactive", "pulumi up"),
        report.HostProblem(
            "the filesystem of /var/log has 3 % free",
            "sudo journalctl --vacuum-size=500M; sudo k3s crictl rmi --prune",
            how="type, on the host",
        ),
        report.HostProblem(RESTART, "sudo systemctl restart k3s", how="type, on the host"),
    ]
    [mounting, *_] = report.problems(node(), sick)
    assert mounting.do == "no ssh.hostKey: change that in nodes/k3s1.yaml, then pulumi up"


def test_a_host_that_did_not_answer_and_one_that_refuses() -> None:
    """What to do about the first is in its own words; the plan of the second says what to write."""
    [silent] = report.problems(node(), Answer("failed", ("ssh did not get through: Connection refused",)))
    assert (silent.says, silent.do) == (
        "ssh did not get through: Connection refused",
        "what it says; then ./run doctor --hosts k3s1",
    )
    [refused] = report.problems(node(), Answer("refused", (REFUSED.message,), (REFUSED,)))
    assert refused.do == "./run hosts plan k3s1"


def test_the_hint_names_the_command_of_each_host() -> None:
    hint = report.replace_hint("edge", ["a", "b"])
    assert "--target-replace 'urn:pulumi:edge::fluxstead::fluxstead:nodes:Node$command:remote:Command::b'" in hint
    assert hint.count("--target-replace") == 2
    k3s = report.replace_hint("edge", ["a", "b"], ["b"])
    assert (
        k3s == f"{hint} --target-replace 'urn:pulumi:edge::fluxstead::fluxstead:nodes:Node$pulumi-python:dynamic/fluxstead:K3s::b'"
    )


def test_what_failed_is_not_called_refused_and_is_said_once() -> None:
    text = report.plan(node(), Answer("failed", ("no rights", "no rights")))
    assert text.splitlines() == ["k3s1 (192.0.2.1): failed", "  failed: no rights"]
