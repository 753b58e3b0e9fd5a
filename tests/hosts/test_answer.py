"""Reading what a host answered: whole, broken off, amid whatever its login prints, or from something else than the script."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.hosts import report
from fluxstead.hosts.answer import Answer, read_answer
from fluxstead.nodes.model import Node

OF_THIS_RUN = "0123456789abcdef01234567"
FOUND = {"path": "/dev/sda", "model": "WD", "serial": "S", "smart": "passed"}
SEEN = {"path": "/dev/sda", "links": [], "model": "WD", "serial": "S", "size": 1, "contents": "blank", "uses": [], "mounts": []}
NODE = Node.model_validate({"name": "k3s1", "cluster": "c", "address": "192.0.2.1", "role": "server", "state": "live"})


def disk(**changes: Any) -> dict[str, Any]:
    plain = {"name": "a", "mountPath": "/mnt/a", "action": "nothing", "why": [], "message": "", "write": "", "notes": []}
    return {**plain, "filesystemUuid": "u", "found": FOUND, **changes}


K3S = {
    "state": "running",
    "version": "v1",
    "digest": "",
    "architecture": "amd64",
    "running": "v1",
    "role": "server",
    "datastore": "etcd",
    "nodeName": "k3s1",
    "ready": True,
    "data": True,
    "begun": "",
    "tasks": [],
    "differs": [],
    "refused": [],
}


def line(token: str = OF_THIS_RUN, **result: Any) -> str:
    return json.dumps({"answer": token, "result": {"status": "fine", **result}})


def printed(**result: Any) -> str:
    return "\n".join(['{"step": "read", "status": "start"}', line(**result)])


def read(output: str, trouble: str = "") -> Answer:
    return read_answer(output, OF_THIS_RUN, trouble)


NOISE = [
    '{"result": {"status": "fine"}}\n',
    line("another-run") + "\n",
    "Welcome to ",
    "\x1b[32mok\x1b[0m ",
    "+ exec python3 -c\n",
    f"token={OF_THIS_RUN} needs=json\n",
    f'{{"answer": "{OF_THIS_RUN}", "result": {{"status": "fi\n',
    f'{{"answer": "{OF_THIS_RUN}"}}\n',
    '{"result": ' * 3000,
    "[]\nnull\n\n\0\ufffd",
]
"""What a login prints: a banner without an end of its line, JSON, another run's answer, the script itself by `set -v`."""


@pytest.mark.parametrize("noise", NOISE)
def test_noise_before_after_and_around_an_answer_is_none(noise: str) -> None:
    """The answer says `refused`; what looks like one says `fine`."""
    answer = line(status="refused", why=["because"])
    for output in (f"{noise}{answer}", f"{answer}{noise}", f"{noise}{answer}\n{noise}", f"{noise}\r\n{answer}\r\n{noise}"):
        assert read(output).why == ("because",), output[:200]
        assert read(output).status == "refused"


@pytest.mark.parametrize("noise", NOISE)
def test_noise_alone_is_no_answer(noise: str) -> None:
    assert "nothing that can be read" in read(noise).why[0]
    assert read(noise).status == "failed"


def test_the_same_answer_twice_is_one_and_another_is_none() -> None:
    assert read(line() + line()).status == "fine"
    [why] = read(line() + "\n" + line(status="refused")).why
    assert "answered twice" in why


WRONG: list[Any] = [
    [],
    "fine",
    None,
    {},
    {"status": "splendid"},
    {"status": ["fine"]},
    {"status": "fine", "why": "text"},
    {"status": "fine", "why": [1]},
    {"status": "fine", "why": None},
    {"status": "fine", "disks": {}},
    {"status": "fine", "disks": [1]},
    {"status": "fine", "disks": [{}]},
    {"status": "fine", "disks": [disk(action="destroy")]},
    {"status": "fine", "disks": [disk(why=[None])]},
    {"status": "fine", "disks": [disk(found=[1])]},
    {"status": "fine", "disks": [disk(found={})]},
    {"status": "fine", "system": [{"item": "iscsid"}]},
    {"status": "fine", "system": ["iscsid"]},
    {"status": "fine", "inventory": [{"path": "/dev/sda"}]},
    {"status": "fine", "inventory": [{**SEEN, "size": "1"}]},
    {"status": "fine", "inventory": [{**SEEN, "links": "x"}]},
    {"status": "fine", "restart": 1},
    {"status": "fine", "login": "x"},
    {"status": "fine", "login": {"hostKey": 1}},
    {"status": "fine", "k3s": []},
    {"status": "fine", "k3s": {}},
    {"status": "fine", "k3s": {**K3S, "state": "resting"}},
    {"status": "fine", "k3s": {**K3S, "ready": "yes"}},
    {"status": "fine", "k3s": {**K3S, "ready": None}},
    {"status": "fine", "k3s": {**K3S, "version": None}},
    {"status": "fine", "k3s": {**K3S, "tasks": "binary"}},
    {"status": "fine", "k3s": {**K3S, "differs": [1]}},
    {"status": "fine", "token": 1},
    {"status": "fine", "kubeconfig": {}},
]


@pytest.mark.parametrize("result", WRONG)
def test_an_answer_of_another_shape_is_a_failure_and_no_traceback(result: Any) -> None:
    answer = read(json.dumps({"answer": OF_THIS_RUN, "result": result}))
    assert answer.status == "failed"
    assert "is not what the script writes" in answer.why[0]
    assert "failed" in report.plan(NODE, answer)


KEYS = [*disk(), *SEEN, *K3S, "k3s", "status", "disks", "system", "login", "fine"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*disk(), *SEEN, *K3S, "k3s", "status", "disks", "system", "login", "fine"]), inner, max_size=6
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_result_raises(result: Any) -> None:
    """Neither when it is read nor when it is shown."""
    for told in (result, {"status": "fine", "disks": [result], "inventory": [result]}, {"status": "fine", "k3s": result}):
        answer = read(json.dumps({"answer": OF_THIS_RUN, "result": told}))
        report.plan(NODE, answer)
        list(report.problems(NODE, answer))
        list(report.same_initiator({"a": answer, "b": answer}))


def test_what_the_host_says_of_the_way_to_it_is_kept() -> None:
    answer = read(line(login={"address": "192.0.2.1", "hostKey": "ssh-ed25519 AAAA"}, machine="x86_64"))
    assert (answer.address, answer.host_key, answer.machine) == ("192.0.2.1", "ssh-ed25519 AAAA", "x86_64")


def test_what_the_host_says_of_k3s_is_kept_and_a_secret_shown_nowhere() -> None:
    secrets = {"token": "K10secret", "kubeconfig": "secret: 1"}
    answer = read(json.dumps({"answer": OF_THIS_RUN, "result": {"status": "fine", "k3s": K3S, **secrets}}))
    assert answer.k3s is not None
    assert (answer.k3s.state, answer.k3s.node_name, answer.k3s.ready, answer.k3s.tasks) == ("running", "k3s1", True, ())
    assert (answer.token, answer.kubeconfig) == ("K10secret", "secret: 1")
    assert "secret" not in repr(answer)
    assert read(line()).k3s is None
    assert not answer.work
    assert read(line(k3s={**K3S, "tasks": ["ready"]})).work


@pytest.mark.parametrize(
    "result",
    [{"disks": [disk(action="mend")]}, {"disks": [disk()], "system": [{"item": "iscsid", "state": "due", "why": "inactive"}]}],
)
def test_there_is_work_where_a_disk_or_the_system_asks_for_it(result: dict[str, Any]) -> None:
    assert read(printed(**result)).work


def test_what_was_found_in_a_few_words() -> None:
    [whole, nameless, none] = read(
        printed(disks=[disk(), disk(found={**FOUND, "model": "", "serial": ""}), disk(found=None)])
    ).disks
    assert (whole.seen, nameless.seen, none.seen) == ("/dev/sda, WD, serial S", "/dev/sda", "nothing")


@pytest.mark.parametrize("output", ["", "\n\n", "Last login: today", '{"result": "fine"}', '{"step": "read"}', "null", "[]"])
def test_an_answer_without_a_result_is_a_failure_that_shows_what_came(output: str) -> None:
    answer = read(output)
    assert (answer.status, answer.refused) == ("failed", True)
    assert (output.strip() or "no output") in answer.why[0]


def test_the_complaint_of_sudo_or_the_shell_is_shown() -> None:
    """It is on standard error, and there is no other output."""
    assert "a password is required" in read("", "sudo: a password is required\n").why[0]


@given(st.text())
def test_no_output_raises(output: str) -> None:
    assert read(output).refused


@pytest.mark.parametrize(
    ("output", "trouble", "hint"),
    [
        ("This account is currently not available.", "", "sudo usermod -s /bin/bash USER"),
        ("", "Password change required but no TTY available.", "chage"),
        ("", "sh: 11: token: parameter not set", "read the beginning of standard input"),
        ("", "sh: 2: why: not found\nsh: 3: Syntax error: word unexpected", "read the beginning of standard input"),
        ("", "sh: line 41: needs: parameter null or not set", "read the beginning of standard input"),
        ("", "bash: line 1: sh: command not found", "runs no shell"),
        ("", "fatal: unrecognized command 'sh -s'", "runs no shell"),
        ("", "-bash: fork: Resource temporarily unavailable", "df -h"),
        ("", "", "as an `exit` or `exec` in ~/.bashrc"),
        ("Have a nice day", "", "ssh USER@HOST 'echo ok'"),
    ],
)
def test_a_login_that_runs_no_script_is_told_with_what_to_type(output: str, trouble: str, hint: str) -> None:
    assert hint in read(output, trouble).why[0]
