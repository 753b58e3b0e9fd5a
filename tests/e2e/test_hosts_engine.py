"""Hosts through the real Pulumi engine: two Debian machines are prepared, and then the tree is written."""

from __future__ import annotations

import json
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fluxstead.embedded import run_program
from fluxstead.hosts.report import replace_hint
from tests.e2e.described import ask_for_less, booted, logins, node_file, write_nodes
from tests.e2e.engine import HOST_KEY, Engine, which_plugin
from tests.e2e.hosts.machines import skip_without_tools
from tests.e2e.hosts.support import EXT4, at_rest, path, with_file
from tests.e2e.hosts.vm import Machine, disks

STACK = "k3s-flux"
UP = ("up", "--yes", "--skip-preview")
AS_DECLARED = {"k3s1": {"d1": "nothing"}, "k3s2": {"d3": "nothing"}}
Recorder = Callable[[str, object], None]
pytestmark = pytest.mark.machine


class Cluster:
    """Two machines, prepared by a first `up`, and all that the engine keeps of them; put back before each test."""

    def __init__(self, scratch: Path, first: Machine, second: Machine) -> None:
        self.first, self.second = first, second
        self.engine = Engine(scratch, ".", STACK)
        self._kept = scratch / "kept"
        ask_for_less(self.engine.project, STACK)
        self.describe()
        assert self.engine.run("stack", "init", STACK).returncode == 0
        began = time.monotonic()
        self.up = self.engine.run(*UP)
        self.seconds = time.monotonic() - began
        # Else a filesystem's own late work would pass for something that a later run wrote.
        for machine in (first, second):
            at_rest(machine)
        for machine in (first, second):
            machine.save("prepared")
        shutil.copytree(self.engine.checkout, self._kept / "checkout")
        shutil.copytree(self.engine.state, self._kept / "state")

    def describe(self, *, first: dict[str, Any] | None = None, second: dict[str, Any] | None = None) -> None:
        """Write the nodes' files, with changes."""
        texts = (
            node_file(1, self.first, **{"disks": [1], **(first or {})}),
            node_file(2, self.second, **{"disks": [3], **(second or {})}),
        )
        write_nodes(self.engine.project, *texts)

    def put_back(self) -> None:
        """The machines, the description, the tree and the engine's state as they were after the first `up`."""
        for machine in (self.first, self.second):
            machine.load("prepared")
        for kept, place in (("checkout", self.engine.checkout), ("state", self.engine.state)):
            shutil.rmtree(place)
            shutil.copytree(self._kept / kept, place)

    def logins(self) -> list[int]:
        return [logins(machine) for machine in (self.first, self.second)]

    def digests(self) -> list[str]:
        """Of the medium of every data disk."""
        self.first.root("sync")
        self.second.root("sync")
        return [self.first.digest(1), *(self.second.digest(number) for number in (1, 2))]

    def tree(self) -> dict[str, bytes]:
        folder = self.engine.project / "generated"
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    def outputs(self) -> dict[str, dict[str, Any]]:
        """Of the disks, by machine and name, as the engine keeps them."""
        resources = json.loads(self.engine.run("stack", "export").stdout)["deployment"]["resources"]
        found: dict[str, dict[str, Any]] = {}
        for one in resources:
            if one["type"] == "fluxstead:nodes:Disk":
                node, _, disk = one["urn"].rpartition("::")[2].partition("/")
                found.setdefault(node, {})[disk] = one["outputs"]
        return found

    def done(self) -> dict[str, dict[str, str]]:
        """What the last run did to each disk."""
        return {node: {disk: one["done"] for disk, one in disks.items()} for node, disks in self.outputs().items()}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, need: Callable[..., object]) -> Iterator[Cluster]:
    """Both machines after the first `up`."""
    need("pulumi", "pulumi-language-python")
    skip_without_tools()
    four = disks(4, "400M")
    with booted(four[:1], four[2:]) as (first, second):
        yield Cluster(tmp_path_factory.mktemp("engine"), first, second)


@pytest.fixture
def cluster(started: Cluster, record_property: Recorder) -> Cluster:
    """The prepared cluster, as it was."""
    record_property("pulumi-command's plugin", which_plugin())
    started.put_back()
    return started


def unshaken(two: list[int]) -> list[int]:
    """The count of logins when only the question itself was one."""
    return [count + 1 for count in two]


def make_key(file: Path) -> None:
    """Write a new private key, and `file`.pub."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)


@pytest.fixture
def engine_at(tmp_path: Path, need: Callable[..., object]) -> Callable[[socket.socket], Engine]:
    """The reference cluster with its server's sshd at a socket of this test, which is no sshd."""

    def make(place: socket.socket) -> Engine:
        need("pulumi", "pulumi-language-python")
        engine = Engine(tmp_path, ".", STACK)
        make_key(engine.project / "key")
        node = engine.project / "nodes/k3s1.yaml"
        ssh = f"{{address: 127.0.0.1, port: {place.getsockname()[1]}, hostKey: {HOST_KEY}, privateKeyFile: key}}"
        node.write_text(f"{node.read_text()}ssh: {ssh}\n")
        assert engine.run("stack", "init", STACK).returncode == 0
        return engine

    return make


def test_a_host_that_does_not_answer_is_said_without_a_traceback(engine_at: Callable[[socket.socket], Engine]) -> None:
    """The engine interrupts the program then, and the program ends in silence."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        engine = engine_at(silent)
        up = engine.run(*UP)
    said = up.stdout + up.stderr
    assert up.returncode != 0
    assert "command:remote:Command (k3s1)" in said
    assert "refused" in said
    for noise in ("Traceback", "KeyboardInterrupt", "unhandled error"):
        assert noise not in said
    assert not (engine.project / "generated").exists()


def test_preview_connects_to_nobody_and_knows_no_output(engine_at: Callable[[socket.socket], Engine]) -> None:
    """Not even a TCP connection is made."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        engine = engine_at(listening)
        shown = engine.run("preview", "--json")
        assert shown.returncode == 0, shown.stdout
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
    steps = {step["urn"].rpartition("::")[2]: step for step in json.loads(shown.stdout)["steps"] if "command:remote" in step["urn"]}
    assert list(steps) == ["k3s1"]
    assert steps["k3s1"]["op"] == "create"
    # The engine leaves what is unknown out of its JSON.
    assert steps["k3s1"]["newState"].get("outputs", {}).get("stdout") is None
    assert not (engine.project / "generated").exists()


def test_up_prepares_both_hosts_and_then_writes_the_tree(cluster: Cluster, record_property: Recorder) -> None:
    """What the outputs say is what the hosts have."""
    record_property("first `up` of two hosts that have their packages", f"{cluster.seconds:.0f} s")
    up = cluster.up
    assert up.returncode == 0, up.stdout + up.stderr
    assert "wrote the tree:" in up.stdout
    outputs = cluster.outputs()
    for name, machine, number in (("k3s1", cluster.first, 1), ("k3s2", cluster.second, 3)):
        uuid = machine.root(f"blkid -s UUID -o value {path(number)}-part1").strip()
        assert outputs[name] == {f"d{number}": {"filesystemUuid": uuid, "done": "prepare"}}
        assert machine.root(f"findmnt -no UUID /mnt/longhorn/d{number}").strip() == uuid
    assembled = run_program(cluster.engine.project, STACK).assembled
    assert assembled is not None
    tree = cluster.tree()
    assert {f"{STACK}/{file}": text.encode() for file, text in assembled.files.items()}.items() <= tree.items()


def test_a_second_up_changes_nothing_and_asks_nobody(cluster: Cluster) -> None:
    tree, logins_before, digests = cluster.tree(), cluster.logins(), cluster.digests()
    again = cluster.engine.run(*UP)
    assert again.returncode == 0, again.stdout
    assert "unchanged" in again.stdout
    assert "updat" not in again.stdout.partition("Resources:")[2]
    # Each reading of a digest logs in once before.
    assert cluster.logins() == [count + 2 for count in logins_before]
    assert cluster.tree() == tree
    assert cluster.digests() == digests
    assert cluster.engine.run("preview", "--expect-no-changes").returncode == 0


def test_refresh_asks_nobody_and_a_lost_state_loses_nothing(cluster: Cluster) -> None:
    """Without the state, each host is asked once more, and has every disk as declared."""
    tree, logins_before, digests = cluster.tree(), cluster.logins(), cluster.digests()
    refreshed = cluster.engine.run("refresh", "--yes", "--skip-preview")
    assert refreshed.returncode == 0, refreshed.stdout
    assert cluster.logins() == [count + 2 for count in logins_before]
    assert cluster.engine.run("preview", "--expect-no-changes").returncode == 0

    shutil.rmtree(cluster.engine.state)
    cluster.engine.state.mkdir()
    assert cluster.engine.run("stack", "init", STACK).returncode == 0
    again = cluster.engine.run(*UP)
    assert again.returncode == 0, again.stdout
    assert cluster.done() == AS_DECLARED
    assert cluster.tree() == tree
    assert cluster.digests() == digests


def test_the_hint_of_the_plan_runs_the_script_again_and_nothing_is_done_twice(cluster: Cluster, record_property: Recorder) -> None:
    """The way to have a host looked after when its description did not change."""
    digests = cluster.digests()
    hint = shlex.split(replace_hint(STACK, ["k3s1", "k3s2"]).rpartition("pulumi up ")[2])
    began = time.monotonic()
    again = cluster.engine.run(*UP, *hint)
    record_property("second preparation of two hosts, nothing to do", f"{time.monotonic() - began:.0f} s")
    assert again.returncode == 0, again.stdout
    assert "2 replaced" in again.stdout.partition("Resources:")[2]
    assert cluster.done() == AS_DECLARED
    assert cluster.digests() == digests


def test_a_changed_label_runs_only_on_its_host_and_touches_no_disk(cluster: Cluster) -> None:
    logins_before, digests = cluster.logins(), cluster.digests()
    cluster.describe(second={"labels": "{storage: longhorn, example.test/rack: b7}"})
    shown = cluster.engine.run("preview", "--diff")
    assert "example.test/rack=b7" in shown.stdout
    up = cluster.engine.run(*UP)
    assert up.returncode == 0, up.stdout
    first, second = cluster.logins()
    assert first == logins_before[0] + 2
    assert second == logins_before[1] + 3
    assert "example.test/rack=b7" in cluster.second.root("cat /etc/rancher/k3s/config.yaml.d/50-fluxstead.yaml")
    assert cluster.digests() == digests
    assert cluster.done()["k3s2"] == {"d3": "nothing"}


def test_with_any_other_way_in_the_script_runs_again_and_does_nothing_twice(cluster: Cluster, tmp_path: Path) -> None:
    """Another key, another kind of host key, another user: each changes an input of the remote command, and so runs it (U2)."""
    machine, file = cluster.first, cluster.engine.project / "nodes/k3s1.yaml"
    make_key(tmp_path / "key")
    public = (tmp_path / "key.pub").read_text().strip()
    machine.root(
        f"echo '{public}' >>/home/ops/.ssh/authorized_keys; mkdir -p /root/.ssh; cp /home/ops/.ssh/authorized_keys /root/.ssh/; "
        "ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key; systemctl restart ssh"
    )
    ecdsa = " ".join(machine.root("cat /etc/ssh/ssh_host_ecdsa_key.pub").split()[:2])
    digests = cluster.digests()
    for old, new in (
        (str(machine.home / "key"), str(tmp_path / "key")),
        (f"hostKey: {machine.image.host_key}", f"hostKey: {ecdsa}"),
        ("user: ops", "user: root"),
    ):
        before = logins(machine)
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        up = cluster.engine.run(*UP)
        assert up.returncode == 0, up.stdout
        assert logins(machine) == before + 2, "the script ran"
        assert cluster.done()["k3s1"] == {"d1": "nothing"}
    assert cluster.digests() == digests


def test_a_host_that_refuses_stops_the_tree_and_stays_outstanding(cluster: Cluster) -> None:
    """The operator reads which host, which step, what was seen and what to write, and no traceback."""
    cluster.second.root(with_file(4, EXT4))
    tree, digests = cluster.tree(), cluster.digests()
    cluster.describe(first={"labels": "{storage: longhorn, example.test/rack: a1}"}, second={"disks": [3, 4]})
    up = cluster.engine.run(*UP)
    said = up.stdout + up.stderr
    assert up.returncode != 0
    assert "command:remote:Command (k3s2)" in said
    assert "disk d4: it holds content that is not ours. Seen: /dev/sd" in said
    assert "serial WD-FS0004" in said
    assert "holding photos" in said
    assert "To write under this disk: wipe: WD-FS0004/" in said
    assert "Process exited with status 1" in said
    [last] = [line for line in said.splitlines() if "k3s2: refused" in line][-1:]
    assert "{" not in last
    for noise in ("Traceback", "KeyboardInterrupt", "unhandled error"):
        assert noise not in said
    assert cluster.tree() == tree
    assert cluster.digests() == digests
    preview = cluster.engine.run("preview")
    assert preview.returncode == 0
    assert "command:remote:Command k3s2 update" in preview.stdout
    assert "update generated/k3s-flux/infrastructure/longhorn-node-k3s2/node-k3s2.yaml" in preview.stdout


def test_a_wrong_host_key_runs_nothing(cluster: Cluster) -> None:
    """Not even a login is tried on a stranger."""
    tree, logins_before = cluster.tree(), cluster.logins()
    node = cluster.engine.project / "nodes/k3s1.yaml"
    node.write_text(node.read_text().replace(cluster.first.image.host_key, HOST_KEY))
    up = cluster.engine.run(*UP)
    assert up.returncode != 0
    assert "command:remote:Command (k3s1)" in up.stdout
    assert "handshake failed" in up.stdout
    assert "Traceback" not in up.stdout + up.stderr
    assert cluster.logins() == unshaken(logins_before)
    assert cluster.tree() == tree


def test_destroy_leaves_hosts_and_tree_alone(cluster: Cluster) -> None:
    tree, logins_before = cluster.tree(), cluster.logins()
    destroyed = cluster.engine.run("destroy", "--yes", "--skip-preview")
    assert destroyed.returncode == 0, destroyed.stdout
    assert cluster.logins() == unshaken(logins_before)
    assert cluster.first.root("findmnt -no SOURCE /mnt/longhorn/d1").startswith("/dev/sd")
    assert cluster.tree() == tree


def test_the_private_key_is_in_no_output_and_no_state(cluster: Cluster) -> None:
    """Of all commands that were run here before this test."""
    cluster.engine.run(*UP, "--logtostderr", "-v=7")
    secret = cluster.first.image.key.read_text().splitlines()[1:-1]
    states = [file.read_text(errors="replace") for file in cluster.engine.state.rglob("*") if file.is_file()]
    assert any("command:remote:Command" in text for text in states)
    for line in secret:
        assert line not in cluster.engine.said
        assert not [text for text in states if line in text]
