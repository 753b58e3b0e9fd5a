"""What `./run hosts` hands to the operator's ssh, recorded by a stand-in for it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fluxstead.hosts import ssh
from fluxstead.hosts.build import SECONDS, Mode, stdin_for, token_of
from fluxstead.hosts.declared import declared
from fluxstead.hosts.trouble import Way, not_reached
from fluxstead.nodes.model import Node

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
NODE = {"name": "k3s1", "cluster": "c", "address": "192.0.2.1", "role": "server", "state": "live", "ssh": {"hostKey": KEY}}
FINE = {"status": "fine", "disks": [], "system": [], "inventory": []}
STAND_IN = """#!{python}
import json, os, pathlib, shlex, sys
words = [part for word in sys.argv for part in (shlex.split(word) if word.startswith("ProxyCommand=") else [word])]
known = [word.partition("=")[2] for word in words if word.startswith("UserKnownHostsFile=")]
texts = [pathlib.Path(name).read_text() for name in known]
stdin = sys.stdin.read()
call = {{"words": sys.argv[1:], "known": texts, "stdin": stdin}}
pathlib.Path({record!r}, str(os.getpid())).write_text(json.dumps(call))
sys.stderr.write({trouble!r})
token = stdin.partition(" ")[0].removeprefix("token=")
print({output!r}.replace("TOKEN", token))
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
    made.answers(json.dumps({"answer": "TOKEN", "result": FINE}))
    return made


def words_for(stand: Stand, **settings: object) -> list[str]:
    """The words after asking a node with these settings of ssh."""
    answer = ssh.ask_node(Node.model_validate({**NODE, "ssh": {"hostKey": KEY, **settings}}), Path("/project"))
    assert answer.status == "fine", answer
    [call] = stand.calls()
    assert "mode" in str(call["stdin"])
    return list(map(str, call["words"]))  # type: ignore[call-overload]


def test_a_known_host_is_pinned_for_this_call_only(stand: Stand, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("-----BEGIN")
    words = words_for(stand, user="ops", port=2222, hostKey=KEY, privateKeyFile=str(key))
    assert words[-3:] == ["--", "ops@192.0.2.1", "sh -s"]
    assert {"StrictHostKeyChecking=yes", "HostKeyAlgorithms=ssh-ed25519", "BatchMode=yes"} <= set(words)
    assert words[words.index("-i") + 1] == str(key)
    [call] = stand.calls()
    assert call["known"] == [f"[192.0.2.1]:2222 {KEY}\n"]


def test_a_key_file_that_is_not_there_is_said_and_nobody_is_dialled(stand: Stand) -> None:
    answer = ssh.ask_node(Node.model_validate({**NODE, "ssh": {"hostKey": KEY, "privateKeyFile": "keys/none"}}), Path("/project"))
    assert "the key file keys/none cannot be read; nothing was dialled" in answer.why[0]
    assert stand.calls() == []


def test_each_run_has_a_token_of_its_own_and_takes_no_other_run_s_answer(stand: Stand) -> None:
    node = Node.model_validate(NODE)
    for _ in range(2):
        assert ssh.ask_node(node, Path()).status == "fine"
    tokens = [token_of(str(call["stdin"])) for call in stand.calls()]
    assert len(set(tokens)) == 2
    stand.answers(json.dumps({"answer": tokens[0], "result": FINE}))
    assert ssh.ask_node(node, Path()).status == "failed"


def test_what_pulumi_compares_is_the_same_each_time_and_differs_with_the_node() -> None:
    """Else every preview would show a change of every host."""
    texts = [stdin_for("apply", declared(Node.model_validate({**NODE, "name": name}))) for name in ("k3s1", "k3s1", "k3s2")]
    assert texts[0] == texts[1]
    assert token_of(texts[0]) != token_of(texts[2])
    assert token_of(texts[0]) != token_of(stdin_for("plan", declared(Node.model_validate(NODE))))


def test_no_terminal_and_no_command_of_the_operator_s_configuration_come_between(stand: Stand) -> None:
    words = words_for(stand)
    assert "-T" in words
    assert "RemoteCommand=none" in words


def test_a_host_whose_key_is_not_described_is_not_dialled(stand: Stand) -> None:
    [why] = ssh.ask_node(Node.model_validate({**NODE, "ssh": {"port": 2222}}), Path()).why
    assert "nothing was dialled. Type: ssh-keyscan -t ed25519 -p 2222 192.0.2.1; compare its fingerprint" in why
    assert stand.calls() == []


def test_the_key_of_a_jump_host_is_pinned_too(stand: Stand, tmp_path: Path) -> None:
    key = tmp_path / "key of 100%"
    key.write_text("-----BEGIN")
    jump = {"address": "2001:db8::9", "port": 2200, "user": "me", "hostKey": KEY}
    words = words_for(stand, jump=jump, privateKeyFile=str(key))
    [command] = [word.removeprefix("ProxyCommand=") for word in words if word.startswith("ProxyCommand=")]
    assert command.endswith(" -W '[%h]:%p' -- me@2001:db8::9")
    through = shlex.split(command.replace("%%", "%"))
    assert through[0] == "ssh"
    assert {"StrictHostKeyChecking=yes", "BatchMode=yes"} <= set(through)
    assert through[through.index("-p") + 1] == "2200"
    assert through[through.index("-i") + 1] == str(key)
    [call] = stand.calls()
    assert call["known"] == [f"192.0.2.1 {KEY}\n", f"[2001:db8::9]:2200 {KEY}\n"]


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
        (1, "something new", "type: ssh root@192.0.2.1 'echo ok'"),
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


CHANGED = """@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Offending ED25519 key in /home/me/.ssh/known_hosts:7
Host key verification failed.
"""
"""As OpenSSH says it; the last line alone is what it says of a host that it never met."""


DESCRIBED = Way("root@192.0.2.1", file="nodes/k3s1.yaml")
MET = Way("root@192.0.2.1")
"""As `discover` goes, without a description."""
BEHIND = replace(DESCRIBED, jump="root@192.0.2.9:22")


@pytest.mark.parametrize(
    ("way", "trouble", "said"),
    [
        (DESCRIBED, CHANGED, "another key than ssh.hostKey in nodes/k3s1.yaml"),
        (replace(DESCRIBED, port=2222), CHANGED, "ssh-keyscan -t ed25519 -p 2222 192.0.2.1; compare"),
        (MET, CHANGED, "ssh-keygen -R '192.0.2.1'"),
        (replace(MET, port=2222), CHANGED, "ssh-keygen -R '[192.0.2.1]:2222'"),
        (MET, "Host key verification failed.\n", "does not know 192.0.2.1 yet"),
        (DESCRIBED, "no matching host key type found. Their offer: rsa-sha2-512\n", "no host key of the type in ssh.hostKey"),
        (DESCRIBED, "me@192.0.2.1: Permission denied (publickey).\n", "ssh-copy-id root@192.0.2.1"),
        (DESCRIBED, "*** Permission denied to all but staff ***\nConnection refused\n", "systemctl enable --now ssh"),
        (DESCRIBED, "Received disconnect: 2: Too many authentication failures\n", "ssh.privateKeyFile"),
        (DESCRIBED, "@ WARNING: UNPROTECTED PRIVATE KEY FILE! @\nPermission denied (publickey).\n", "chmod 600"),
        (DESCRIBED, "ssh: connect to host 192.0.2.1 port 22: Connection timed out\n", "ping -c 3 192.0.2.1"),
        (DESCRIBED, "ssh: connect to host 192.0.2.1 port 22: No route to host\n", "in nodes/k3s1.yaml is right"),
        (DESCRIBED, "kex_exchange_identification: read: Connection reset by peer\n", "MaxStartups"),
        (
            BEHIND,
            "Host key verification failed.\nConnection closed by UNKNOWN port 65535\n",
            "through: Host key verification failed. root@192.0.2.9:22 or 192.0.2.1 shows another key",
        ),
        (BEHIND, "Permission denied (publickey).\n", "root@192.0.2.9:22 or 192.0.2.1"),
        (DESCRIBED, "something new\n", "Type: ssh -v root@192.0.2.1"),
        (DESCRIBED, "", "no reason given"),
    ],
)
def test_ssh_that_does_not_get_through_is_told_with_what_to_type(way: Way, trouble: str, said: str) -> None:
    why = not_reached(trouble, way)
    assert why.startswith("ssh did not get through: ")
    assert said in why


def test_an_answer_that_came_counts_also_where_the_connection_broke_after_it(stand: Stand) -> None:
    stand.answers(json.dumps({"answer": "TOKEN", "result": FINE}), trouble="Connection closed\n", status=255)
    assert ssh.ask_node(Node.model_validate(NODE), Path()).status == "fine"


MADE_UP = "K10thesecretofthecluster"


def test_k3s_is_told_on_standard_input_and_nothing_secret_is_shown(stand: Stand) -> None:
    """A login may echo what it reads, and an answer with a secret may be broken off."""
    node = Node.model_validate(NODE)
    ssh.plan([node], Path(), lambda _: None, {"k3s1": {"version": "v1"}})
    ssh.ask_node(node, Path(), ssh.Errand("apply", {"token": MADE_UP}))
    first, second = (json.loads(str(call["stdin"]).splitlines()[-2][1:]) for call in _in_order(stand))
    assert (first["mode"], first["k3s"]) == ("plan", {"version": "v1"})
    assert (second["mode"], second["k3s"], second["seconds"]) == ("apply", {"token": MADE_UP}, SECONDS["apply"])
    assert not any(MADE_UP in word for call in stand.calls() for word in map(str, call["words"]))  # type: ignore[call-overload]
    stand.answers(f"+ {MADE_UP}", trouble=f"sh: {MADE_UP}: not found")
    assert MADE_UP not in ssh.ask_node(node, Path(), ssh.Errand("apply", {"token": MADE_UP})).why[0]
    modes: tuple[Mode, ...] = ("mint", "kubeconfig")
    for mode in modes:
        stand.answers(f'{{"answer": "TOKEN", "result": {{"status": "fine", "token": "{MADE_UP}')
        answer = ssh.ask_node(node, Path(), ssh.Errand(mode))
        assert answer.refused
        assert MADE_UP not in repr(answer)


def _in_order(stand: Stand) -> list[dict[str, object]]:
    return sorted(stand.calls(), key=lambda call: '"mode": "plan"' not in str(call["stdin"]))


@pytest.mark.parametrize("mode", SECONDS)
def test_a_run_ends_by_itself_before_it_is_given_up(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script says why; whoever gives it up can only guess."""
    waited: list[float] = []

    def run(_words: object, _stdin: object, seconds: float, _say: object) -> tuple[int, str, str]:
        waited.append(seconds)
        return 0, "", ""

    monkeypatch.setattr(ssh, "run", run)
    ssh.ask(["host"], {}, Way("root@host"), ssh.Errand(mode))
    assert waited[0] > SECONDS[mode]
