"""Machines and their disks in the program, under Pulumi's mocks: what the engine is told of each, and what waits for them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from fluxstead.hosts.build import END
from tests.components.recorder import STACK, Registered, Runner
from tests.conftest import Project

SECRET_KEY, SECRET = rpc._special_sig_key, rpc._special_secret_sig
HOST_KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + b"k" * 36).decode()
JUMP_KEY = HOST_KEY[:-4] + "anya"
PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nnever shown\n"
UUID = "11111111-1111-1111-1111-111111111111"
DISKS = {"sdf1": "prepare", "sdg1": "nothing", "sdh1": "adopt"}


def printed(status: str = "fine", why: tuple[str, ...] = ()) -> str:
    """What the script prints on a host with the reference cluster's disks."""
    disks = [
        {"name": name, "mountPath": "/mnt/x", "action": action, "why": [], "message": "", "write": "", "notes": []}
        | {"filesystemUuid": UUID, "found": None}
        for name, action in DISKS.items()
    ]
    lines = [{"step": "read", "status": "start"}, {"answer": "TOKEN", "result": {"status": status, "why": why, "disks": disks}}]
    return "\n".join(map(json.dumps, lines))


@pytest.fixture
def described(reference: Project) -> Project:
    """The reference cluster with its server's sshd known, and a key file."""
    (reference.root / "key").write_text(PRIVATE)
    _ssh(reference, "k3s1", f"{{user: ops, port: 2222, hostKey: {HOST_KEY}, privateKeyFile: key}}")
    return reference


def _ssh(project: Project, node: str, ssh: str) -> None:
    file = project.root / f"nodes/{node}.yaml"
    file.write_text(f"{file.read_text()}ssh: {ssh}\n")


def command_of(seen: dict[str, Registered], name: str = "k3s1") -> Registered:
    """The remote command of a host."""
    [command] = [one for one in seen.values() if one.type == "command:remote:Command" and one.name == name]
    return command


def node_of(seen: dict[str, Registered], name: str = "k3s1") -> Registered:
    """The component of a machine."""
    [node] = [one for one in seen.values() if one.type == "fluxstead:nodes:Node" and one.name == name]
    return node


def disks_of(seen: dict[str, Registered]) -> dict[str, Registered]:
    """The disks of all machines, as MACHINE/DISK."""
    return {one.name: one for one in seen.values() if one.type == "fluxstead:nodes:Disk"}


def in_the_open(value: Any) -> str:
    """What is left of inputs when every secret is taken out, as text."""

    def strip(item: Any) -> Any:
        if isinstance(item, dict):
            return "[secret]" if item.get(SECRET_KEY) == SECRET else {key: strip(inner) for key, inner in item.items()}
        return [strip(inner) for inner in item] if isinstance(item, list) else item

    return json.dumps(strip(value))


def test_a_host_is_a_component_with_one_command(described: Project, run_pulumi: Runner) -> None:
    seen = run_pulumi(described, preview=False, printed={"k3s1": printed()})
    command = command_of(seen)
    assert seen[command.parent] is node_of(seen)
    assert node_of(seen).inputs == {
        "node": "k3s1",
        "address": "192.168.86.71",
        "k3s": {"nodeLabels": ["node.longhorn.io/create-default-disk=config", "storage=longhorn"], "nodeTaints": []},
    }
    assert command.inputs["create"] == "sh -s"
    assert "delete" not in command.inputs
    assert "update" not in command.inputs
    assert command.inputs["addPreviousOutputInEnv"] is False
    assert command.inputs["logging"] == "stderr"  # a person watches; the lines of JSON are for the outputs
    assert '"mode": "apply"' in command.inputs["stdin"]


def test_each_disk_is_a_child_with_what_is_declared_of_it(described: Project, run_pulumi: Runner) -> None:
    """So that a preview shows a changed key at its disk; after the command, so that one that was refused is shown again."""
    described.replace("nodes/k3s1.yaml", "device: /dev/sdg\n", "device: /dev/sdg\n    serial: WD-2\n    wipe: WD-2/0abc\n")
    seen = run_pulumi(described, preview=True)
    [command] = [urn for urn, one in seen.items() if one is command_of(seen)]
    disks = disks_of(seen)
    assert disks.keys() == {"k3s1/sdf1", "k3s1/sdg1", "k3s1/sdh1"}
    assert all(seen[disk.parent] is node_of(seen) for disk in disks.values())
    assert all(command in disk.dependencies for disk in disks.values())
    assert {key: value for key, value in disks["k3s1/sdg1"].inputs.items() if value is not None} == {
        "name": "sdg1",
        "device": "/dev/sdg",
        "serial": "WD-2",
        "size": 465 * 1024**3,
        "filesystem": "ext4",
        "mountPath": "/mnt/longhorn/sdg1",
        "wipe": "WD-2/0abc",
    }


def test_disks_of_one_name_on_two_machines_are_two(described: Project, run_pulumi: Runner) -> None:
    """The machine's name is no part of a URN below it."""
    described.replace("nodes/k3s2.yaml", "state: planned", "state: live")
    _ssh(described, "k3s2", f"{{hostKey: {HOST_KEY}}}")
    seen = run_pulumi(described, preview=False, printed=dict.fromkeys(("k3s1", "k3s2"), printed()))
    assert disks_of(seen).keys() == {f"{node}/{disk}" for node in ("k3s1", "k3s2") for disk in DISKS}
    [stack] = [one for one in seen.values() if one.type == STACK]
    assert stack.outputs["disks"] == dict.fromkeys(("k3s1", "k3s2"), dict.fromkeys(DISKS, UUID))


def test_a_stack_of_the_time_when_nodes_were_hosts_is_known(described: Project, run_pulumi: Runner) -> None:
    """Else its commands would be made anew, and the script run on each machine again."""
    assert node_of(run_pulumi(described, preview=True)).former_types == {"fluxstead:hosts:Host"}


def test_key_and_socket_are_no_input_outside_the_secret_connection(
    described: Project, run_pulumi: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket's path changes at every login, and would show as a change of the host."""
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/ssh-agent/socket")
    seen = run_pulumi(described, preview=False, printed={"k3s1": printed()})
    inputs = command_of(seen).inputs
    connection = inputs["connection"]
    assert connection[SECRET_KEY] == SECRET
    assert {**connection["value"], "privateKey": None}.items() >= {
        "host": "192.168.86.71",
        "port": 2222,
        "user": "ops",
        "hostKey": HOST_KEY,
        "privateKey": None,
    }.items()
    assert connection["value"]["privateKey"] == PRIVATE or connection["value"]["privateKey"]["value"] == PRIVATE
    for one in seen.values():
        assert "never shown" not in in_the_open(one.inputs)
        assert "never shown" not in in_the_open(one.outputs)
        assert "/tmp/ssh-agent" not in json.dumps([one.inputs, one.outputs])


def test_a_key_is_on_no_standard_input_and_the_rest_need_not_be_secret(described: Project, run_pulumi: Runner) -> None:
    """So that a preview shows what changes in the description of a host."""
    stdin = command_of(run_pulumi(described, preview=True)).inputs["stdin"]
    assert isinstance(stdin, str)
    assert "never shown" not in stdin
    assert HOST_KEY not in stdin


def test_what_the_host_answers_comes_out(described: Project, run_pulumi: Runner) -> None:
    """Of each disk, of the machine, and of the stack, for people."""
    seen = run_pulumi(described, preview=False, printed={"k3s1": printed()})
    assert {name: one.outputs for name, one in disks_of(seen).items()} == {
        f"k3s1/{disk}": {"filesystemUuid": UUID, "done": done} for disk, done in DISKS.items()
    }
    assert node_of(seen).outputs == {"filesystemUuids": dict.fromkeys(DISKS, UUID)}
    [stack] = [one for one in seen.values() if one.type == STACK]
    assert stack.outputs["disks"] == {"k3s1": dict.fromkeys(DISKS, UUID)}


def test_every_layer_waits_for_every_host(described: Project, run_pulumi: Runner) -> None:
    seen = run_pulumi(described, preview=False, printed={"k3s1": printed()})
    [urn] = [urn for urn, one in seen.items() if one is command_of(seen)]
    layers = [one for one in seen.values() if one.type == "fluxstead:tree:Layer"]
    assert layers
    assert all(urn in layer.dependencies for layer in layers)


@pytest.mark.parametrize(
    "answer",
    [
        printed("refused", ("disk sdf1: holds ext4",)),
        printed().replace("TOKEN", "another"),
        printed().replace("sdh1", "sdx1"),
        "Connection lost",
        "",
    ],
)
def test_without_a_fine_answer_no_tree_is_written(answer: str, described: Project, run_pulumi: Runner) -> None:
    """Whatever the command's exit status was."""
    with pytest.raises(pulumi.RunError, match=r"holds ext4|nothing about its disks sdh1|nothing that can be read"):
        run_pulumi(described, preview=False, printed={"k3s1": answer})
    assert not (described.root / "generated").exists()


def test_the_tree_is_written_once_the_hosts_are_prepared(described: Project, run_pulumi: Runner) -> None:
    run_pulumi(described, preview=False, printed={"k3s1": printed()})
    assert (described.root / "generated/k3s-flux").exists()


def test_a_key_file_that_is_not_there_is_said_without_a_traceback(described: Project, run_pulumi: Runner) -> None:
    (described.root / "key").unlink()
    with pytest.raises(pulumi.RunError, match=r"nodes/k3s1\.yaml:\d+: the key file key cannot be read"):
        run_pulumi(described, preview=True)


def test_the_jump_host_is_pinned_too(reference: Project, run_pulumi: Runner) -> None:
    jump = f"{{address: 192.0.2.9, user: me, hostKey: {JUMP_KEY}}}"
    _ssh(reference, "k3s1", f"{{hostKey: {HOST_KEY}, jump: {jump}}}")
    connection = command_of(run_pulumi(reference, preview=True)).inputs["connection"]["value"]
    proxy = connection["proxy"]
    assert (proxy["host"], proxy["user"], proxy["hostKey"]) == ("192.0.2.9", "me", JUMP_KEY)
    assert connection["hostKey"] == HOST_KEY
    assert "privateKey" not in proxy


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace(f"hostKey: {HOST_KEY}, ", ""), "no ssh.hostKey"),
        (lambda text: text + "prepare: false\n", "prepare: false"),
    ],
)
def test_a_host_that_is_left_alone_is_not_dialled_and_that_is_said(
    change: Callable[[str], str], reason: str, described: Project, run_pulumi: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, *_, **__: told.append(text))
    file = described.root / "nodes/k3s1.yaml"
    file.write_text(change(file.read_text()))
    seen = run_pulumi(described, preview=False)
    assert not [one for one in seen.values() if one.type in {"fluxstead:nodes:Node", "command:remote:Command"}]
    assert f"not dialled: k3s1 ({reason}), k3s2 (state: planned)" in told
    assert (described.root / "generated/k3s-flux").exists()


@pytest.mark.parametrize("state", ["planned", "leaving"])
def test_only_live_hosts_are_dialled(state: str, described: Project, run_pulumi: Runner) -> None:
    described.replace("nodes/k3s2.yaml", "state: planned", f"state: {state}")
    _ssh(described, "k3s2", f"{{hostKey: {HOST_KEY}}}")
    seen = run_pulumi(described, preview=False, printed={"k3s1": printed()})
    assert [one.name for one in seen.values() if one.type == "command:remote:Command"] == ["k3s1"]


HOSTILE = ["$(touch /tmp/pwned)", "`id`", "'; id; '", '"$(id)"', f"\n{END}\n", "\\", "ä\u2028", "a b"]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stand_in_one_line_of_json_only(value: str, described: Project, run_pulumi: Runner) -> None:
    """A serial may be any text; it is data in a quoted here-document, never a word of the command."""
    described.replace("nodes/k3s1.yaml", "device: /dev/sdf\n", f"device: /dev/sdf\n    serial: {json.dumps(value)}\n")
    inputs = command_of(run_pulumi(described, preview=True)).inputs
    assert inputs["create"] == "sh -s"
    lines = inputs["stdin"].split("\n")
    assert lines.count(END) == 1
    assert json.loads(lines[lines.index(END) - 1].removeprefix("#"))["node"]["disks"][0]["serial"] == value
    assert inputs["stdin"].isascii() or "\u2028" not in inputs["stdin"]


@pytest.mark.parametrize("key", ["mountPath: /mnt/longhorn/sdf1", "device: /dev/sdf"])
@pytest.mark.parametrize("value", ["/dev/$(id)", "/mnt/`id`", "/mnt/a'b", '/mnt/a"b', "/mnt/a\nb", "/mnt/a;b", "/mnt/a b"])
def test_paths_that_a_shell_could_read_are_refused_before(key: str, value: str, described: Project, run_pulumi: Runner) -> None:
    name = key.partition(":")[0]
    described.replace("nodes/k3s1.yaml", f"{key}\n", f"{name}: {json.dumps(value)}\n")
    with pytest.raises(pulumi.RunError, match="nothing was dialled"):
        run_pulumi(described, preview=True)
    assert not Path("/tmp/pwned").exists()


@pytest.mark.parametrize("user", ["-oProxyCommand=id", "$(id)", "a b", "a;b", "a\nb", ""])
def test_a_user_that_ssh_or_a_shell_could_take_for_more_is_refused(user: str, reference: Project, run_pulumi: Runner) -> None:
    """OpenSSH hands a jump host's user to a shell."""
    _ssh(reference, "k3s1", f"{{user: {json.dumps(user)}, hostKey: {HOST_KEY}}}")
    with pytest.raises(pulumi.RunError, match="is not the name of a user"):
        run_pulumi(reference, preview=True)
