"""What `./run hosts` hands to the operator's ssh, recorded by a stand-in for it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from fluxstead.hosts import ssh
from fluxstead.nodes.model import Node

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
NODE = {"name": "k3s1", "cluster": "c", "address": "192.0.2.1", "role": "server", "state": "live"}
FINE = {"result": {"status": "fine", "disks": [], "system": [], "inventory": []}}
STAND_IN = """#!{python}
import json, os, pathlib, sys
known = [word.partition("=")[2] for word in sys.argv if word.startswith("UserKnownHostsFile=")]
texts = [pathlib.Path(name).read_text() for name in known]
call = {{"words": sys.argv[1:], "known": texts, "stdin": sys.stdin.read()}}
pathlib.Path({record!r}, str(os.getpid())).write_text(json.dumps(call))
sys.stderr.write({trouble!r})
print({output!r})
sys.exit({status})
"""


class Stand:
    """A stand-in for ssh on PATH, and what it was called with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._record = folder / "calls"
        self._record.mkdir()

    def answers(self, output: str, *, trouble: str = "", status: int = 0) -> None:
        program = self._folder / "ssh"
        record = str(self._record)
        program.write_text(STAND_IN.format(python=sys.executable, record=record, output=output, trouble=trouble, status=status))
        program.chmod(0o755)

    def calls(self) -> list[dict[str, object]]:
        """Each call has a file of its own: calls at the same time would mix their lines."""
        return [json.loads(file.read_text()) for file in self._record.iterdir()]


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    made = Stand(tmp_path)
    made.answers(json.dumps(FINE))
    return made


def words_for(stand: Stand, **settings: object) -> list[str]:
    """The words after asking a node with these settings of ssh."""
    answer = ssh.ask_node(Node.model_validate({**NODE, "ssh": settings}), Path("/project"))
    assert answer.status == "fine", answer
    [call] = stand.calls()
    assert "mode" in str(call["stdin"])
    return list(map(str, call["words"]))  # type: ignore[call-overload]


def test_a_known_host_is_pinned_for_this_call_only(stand: Stand) -> None:
    words = words_for(stand, user="ops", port=2222, hostKey=KEY, privateKeyFile="keys/one")
    assert words[-3:] == ["--", "ops@192.0.2.1", "sudo -n sh -s"]
    assert {"StrictHostKeyChecking=yes", "HostKeyAlgorithms=ssh-ed25519", "BatchMode=yes"} <= set(words)
    assert words[words.index("-i") + 1] == "/project/keys/one"
    [call] = stand.calls()
    assert call["known"] == [f"[192.0.2.1]:2222 {KEY}\n"]


def test_without_a_key_the_operator_s_known_hosts_decide(stand: Stand) -> None:
    words = words_for(stand)
    assert not [word for word in words if "KnownHosts" in word or "StrictHostKey" in word]
    assert words[-2:] == ["root@192.0.2.1", "sh -s"]


def test_a_jump_host_by_ipv6_is_bracketed(stand: Stand) -> None:
    words = words_for(stand, jump={"address": "2001:db8::9", "port": 2200, "user": "me", "hostKey": KEY})
    assert words[words.index("-J") + 1] == "me@[2001:db8::9]:2200"


def test_several_hosts_are_asked_and_each_is_told_as_it_answers(stand: Stand) -> None:
    told: list[str] = []
    nodes = [Node.model_validate({**NODE, "name": name}) for name in ("a", "b", "c")]
    answers = ssh.plan(nodes, Path(), told.append)
    assert list(answers) == ["a", "b", "c"]
    assert sorted(told) == ["a: fine", "b: fine", "c: fine"]
    assert len(stand.calls()) == 3


@pytest.mark.parametrize(
    ("status", "trouble", "said"),
    [
        (255, "Connection refused", "ssh did not get through: Connection refused"),
        (1, "sudo: a password is required", "sudo: a password is required"),
        (127, "sh: sudo: not found", "sudo: not found"),
    ],
)
def test_what_went_wrong_on_the_way_is_said(status: int, trouble: str, said: str, stand: Stand) -> None:
    stand.answers("", trouble=trouble, status=status)
    answer = ssh.ask_node(Node.model_validate(NODE), Path())
    assert answer.refused
    assert said in answer.why[0]


def test_a_machine_without_ssh_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no ssh on this machine" in ssh.ask_node(Node.model_validate(NODE), Path()).why[0]
