"""`./run hosts` and `./run doctor --hosts` against a real Debian machine, through the system's ssh, as an operator types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from fluxstead.description.load import load
from fluxstead.hosts.answer import read_answer
from fluxstead.hosts.build import stdin_for, token_of
from fluxstead.hosts.declared import declared
from fluxstead.hosts.report import NEW_INITIATOR, same_initiator
from fluxstead.nodes.model import Node
from tests.conftest import REPOSITORY, copy_description
from tests.e2e.described import booted, node_file, write_nodes
from tests.e2e.hosts.machines import skip_without_tools
from tests.e2e.hosts.support import EXT4, with_file
from tests.e2e.hosts.vm import Machine, disks

KNOWN = Path("~/.ssh/known_hosts").expanduser()
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
HEALTHY = "k3s-flux: the machines alone\nhosts 1 of 1 answer\nnothing is wrong\n"
Said = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.machine


class Operator:
    """Someone at a shell with the description of one machine, and an ssh configuration of their own."""

    def __init__(self, home: Path, machine: Machine) -> None:
        self.home, self.machine = home, machine
        self.project = home / "project"
        self.project.mkdir()
        copy_description(REPOSITORY, self.project)
        self.describe([1, 2])
        self._make_ssh()

    def describe(self, numbers: list[int]) -> None:
        write_nodes(self.project, node_file(1, self.machine, numbers))

    def hosts(self, *words: str) -> Said:
        """`./run hosts WORDS`."""
        return self._run("hosts", *words)

    def doctor(self) -> Said:
        """`./run doctor --hosts`."""
        return self._run("doctor", "--hosts")

    def _run(self, *words: str) -> Said:
        return subprocess.run(
            [sys.executable, "-m", "fluxstead.cli", *words, "--project", self.project, "--stack", "k3s-flux"],
            env={**os.environ, "PATH": f"{self.home}/bin:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def prepare(self) -> None:
        """What `pulumi up` does on the host."""
        [node] = self.nodes()
        done = self.machine.script(stdin_for("apply", declared(node)))
        assert done.status == 0, done.out

    def nodes(self) -> Sequence[Node]:
        """As they are described."""
        loaded = load(self.project, "k3s-flux")
        assert loaded.description is not None, loaded.findings
        return loaded.description.nodes

    def _make_ssh(self) -> None:
        """The system's ssh, reading a configuration that is not that of whoever runs the tests."""
        known = self.home / "known_hosts"
        known.write_text((self.machine.home / "known").read_text())
        settings = [
            "Host fresh",
            "  HostName 127.0.0.1",
            f"  Port {self.machine.port}",
            f"  IdentityFile {self.machine.home / 'key'}",
            f"  UserKnownHostsFile {known}",
            "  IdentitiesOnly yes",
        ]
        (self.home / "config").write_text("\n".join(settings) + "\n")
        ssh = self.home / "bin" / "ssh"
        ssh.parent.mkdir()
        ssh.write_text(f'#!/bin/sh\nPATH={os.defpath}\nexec ssh -F {self.home / "config"} "$@"\n')
        ssh.chmod(0o755)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A machine with three blank disks, saved as `blank`, and with two of them prepared, as `prepared`."""
    skip_without_tools()
    with booted(disks(3, "400M")) as [one]:
        one.save("blank")
        yield one


@pytest.fixture(scope="module")
def prepare_once(machine: Machine) -> Callable[[Operator], None]:
    """Prepare the machine, by the first test that asks; by a snapshot later."""
    done: list[bool] = []

    def prepare(operator: Operator) -> None:
        if done:
            machine.load("prepared")
            return
        machine.load("blank")
        operator.prepare()
        machine.root("sync")
        machine.save("prepared")
        done.append(True)

    return prepare


@pytest.fixture
def at_blank(machine: Machine, tmp_path: Path) -> Operator:
    """An operator whose machine was never prepared."""
    machine.load("blank")
    return Operator(tmp_path, machine)


@pytest.fixture
def at_prepared(machine: Machine, tmp_path: Path, prepare_once: Callable[[Operator], None]) -> Operator:
    """An operator whose machine is as `pulumi up` leaves it."""
    operator = Operator(tmp_path, machine)
    prepare_once(operator)
    return operator


@pytest.fixture(autouse=True)
def known_hosts_stay() -> Iterator[None]:
    """Nothing is written into the known hosts of whoever runs this."""
    before = KNOWN.read_bytes() if KNOWN.exists() else None
    yield
    assert (KNOWN.read_bytes() if KNOWN.exists() else None) == before


def test_the_plan_of_a_fresh_host_says_what_up_would_do(at_blank: Operator) -> None:
    plan = at_blank.hosts("plan")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    lines = plan.stdout.splitlines()
    assert lines[0] == "k3s1 (192.168.86.71): work to do"
    [row] = [line for line in lines if line.startswith("  d1 ")]
    assert "serial WD-FS0001" in row
    assert row.endswith("partitioned and formatted  blank")
    assert "  modules: not loaded: iscsi_tcp, dm_crypt, nfs" in lines
    assert "Command::k3s1'" in lines[-1]
    assert at_blank.doctor().returncode == 1
    # Read-only: nothing of it was done.
    assert at_blank.machine.root("wipefs -n /dev/sda; test ! -e /etc/modules-load.d/fluxstead.conf") == ""


def test_a_prepared_host_is_as_declared_and_healthy(at_prepared: Operator) -> None:
    plan = at_prepared.hosts("plan", "k3s1")
    assert (plan.returncode, plan.stdout.splitlines()[0]) == (0, "k3s1 (192.168.86.71): as declared"), plan.stdout
    doctor = at_prepared.doctor()
    assert (doctor.returncode, doctor.stdout) == (0, HEALTHY)
    told = json.loads(at_prepared.hosts("plan", "--format", "json").stdout)
    assert told["k3s1"]["status"] == "fine"
    assert told["k3s1"]["disks"][0]["action"] == "nothing"


def test_the_doctor_names_what_broke_and_what_to_type(at_prepared: Operator) -> None:
    """And what is typed mends it."""
    at_prepared.machine.root(
        "systemctl stop iscsid.socket iscsid.service; umount /mnt/longhorn/d1; sed -i '/longhorn.d2/d' /etc/fstab"
    )
    doctor = at_prepared.doctor()
    assert doctor.returncode == 1
    lines = doctor.stdout.splitlines()
    for broken in ("disk d1 of k3s1 on its host: ", "disk d2 of k3s1 on its host: ", "host k3s1 iscsid: enabled, inactive"):
        [at] = [number for number, line in enumerate(lines) if line.partition(". ")[2].startswith(broken)]
        assert lines[at + 2] == "   type:    pulumi up"
    assert lines[-1] == "3 things wrong"
    at_prepared.prepare()
    assert at_prepared.doctor().returncode == 0


def test_what_the_doctor_says_against_copied_initiator_names_gives_a_new_one(at_prepared: Operator) -> None:
    """Typed as it stands; the host is as healthy as before."""
    machine, file = at_prepared.machine, "/etc/iscsi/initiatorname.iscsi"
    [node] = at_prepared.nodes()
    asked = stdin_for("plan", declared(node))
    answer = read_answer(machine.script(asked).out, token_of(asked))
    assert list(same_initiator({"original": answer, "copy": answer}))
    before = machine.root(f"cat {file}")
    typed = machine.ssh(NEW_INITIATOR)
    assert typed.status == 0, typed.err
    after = machine.root(f"cat {file}; systemctl is-active iscsid >/dev/null")
    assert after.startswith("InitiatorName=iqn.")
    assert after != before
    assert at_prepared.doctor().stdout == HEALTHY


def test_a_refusal_is_told_with_what_to_write_and_ends_with_one(at_prepared: Operator) -> None:
    at_prepared.machine.root(with_file(3, EXT4))
    at_prepared.describe([1, 2, 3])
    plan = at_prepared.hosts("plan")
    assert plan.returncode == 1
    lines = plan.stdout.splitlines()
    assert lines[0].endswith(": refused")
    [told] = [line for line in lines if line.startswith("  refused: disk d3: it holds content that is not ours.")]
    assert "holding photos" in told
    [write] = [line for line in lines if line.startswith("  write, at disk d3: wipe: WD-FS0003/")]
    assert at_prepared.doctor().returncode == 1
    assert json.loads(at_prepared.hosts("plan", "--format", "json").stdout)["k3s1"]["status"] == "refused"
    # Pasted where it says, it is taken.
    node = at_prepared.project / "nodes/k3s1.yaml"
    consent = write.partition(": ")[2]
    node.write_text(node.read_text().replace("/mnt/longhorn/d3}", f"/mnt/longhorn/d3, {consent}}}"))
    consented = at_prepared.hosts("plan")
    assert consented.returncode == 0, consented.stdout
    assert "WIPED, partitioned and formatted" in consented.stdout


def test_a_stranger_at_the_address_is_not_asked(at_blank: Operator) -> None:
    node = at_blank.project / "nodes/k3s1.yaml"
    node.write_text(node.read_text().replace(at_blank.machine.image.host_key, OTHER_KEY))
    plan = at_blank.hosts("plan")
    assert plan.returncode == 1
    assert "ssh did not get through: " in plan.stdout
    assert "Traceback" not in plan.stderr


def test_sudo_that_asks_for_a_password_is_told(at_blank: Operator) -> None:
    at_blank.machine.root("sed -i s/NOPASSWD:// /etc/sudoers.d/ops")
    plan = at_blank.hosts("plan")
    assert plan.returncode == 1
    assert "sudo: a password is required" in plan.stdout


def test_discover_prints_a_file_to_start_from(at_blank: Operator) -> None:
    """Through a name that only the operator's ssh configuration knows."""
    at_blank.machine.root(with_file(3, EXT4))
    found = at_blank.hosts("discover", "ops@fresh")
    assert found.returncode == 0, found.stderr
    node = Node.model_validate({"name": "fresh", **yaml.safe_load(found.stdout)})
    assert node.ssh.host_key == at_blank.machine.image.host_key
    assert (node.ssh.user, str(node.dialled_at), node.ssh.port) == ("ops", "127.0.0.1", at_blank.machine.port)
    assert [disk.serial for disk in node.disks] == ["WD-FS0001", "WD-FS0002"]
    assert (node.disks[0].device or "").startswith("/dev/disk/by-id/")
    comments = [line for line in found.stdout.splitlines() if line.startswith("  # /dev/")]
    assert any("/dev/vda is in use: " in line for line in comments)
    assert any("/dev/sdc is in use: " in line and "ext4" in line for line in comments)
    # The printed file is one that the plan takes.
    text = found.stdout.replace("state: planned", "state: live").replace("role: agent", "role: server")
    text = text.replace(f"address: {node.address}", "address: 192.168.86.71", 1)
    write_nodes(at_blank.project, text.replace("ssh:\n", f"ssh:\n  privateKeyFile: {at_blank.machine.home / 'key'}\n"))
    plan = at_blank.hosts("plan")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert "partitioned and formatted" in plan.stdout


def test_discover_of_nobody_ends_with_one_and_says_why(at_blank: Operator) -> None:
    found = at_blank.hosts("discover", "nobody@fresh")
    assert (found.returncode, found.stdout) == (1, "")
    assert "ssh did not get through" in found.stderr
