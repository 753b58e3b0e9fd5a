"""What stands in the way of a run outside of any disk, on a real machine: the login, sudo, dpkg, a root that takes no writes.

Each is told before the first step, the disks are the same byte for byte, and what is said to type is what helps.
"""

from __future__ import annotations

import re

import pytest

from fluxstead.hosts.answer import Answer, read_answer
from fluxstead.hosts.build import python_source, stdin_for, token_of
from fluxstead.hosts.ssh import ask_node
from fluxstead.nodes.model import Node

from .support import LAST_LINE, apply, digests, disk, node, plan, result_of
from .vm import Machine

pytestmark = pytest.mark.machine
NOISE = r"""printf 'Welcome '; echo '{"result": {"status": "fine"}}'; echo >&2 'disk quota: fine'; printf 'glued'"""


def logged_in(machine: Machine, mode: str = "plan") -> tuple[int, Answer]:
    """The exit status and the answer of a run by `ops`, as the login of an operator carries it."""
    stdin = stdin_for("apply" if mode == "apply" else "plan", node(disk(1)))
    done = machine.ssh("sh -s", stdin)
    return done.status, read_answer(done.out, token_of(stdin), done.err)


def first_of_bashrc(machine: Machine, line: str) -> None:
    """Before what keeps the file to people; Debian's sshd has bash read it for every command."""
    machine.root(f"cd /home/ops; printf '%s\\n' {quoted(line)} | cat - .bashrc > new; mv new .bashrc; chown ops: .bashrc")


def quoted(text: str) -> str:
    """As one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def refused_for(machine: Machine, *said: str) -> str:
    """The one reason for which plan and apply refuse; no disk was touched."""
    before = digests(machine, [1])
    status, answer = logged_in(machine, "apply")
    assert status == 1, answer
    [why] = answer.why
    assert [text for text in said if text not in why] == [], why
    assert logged_in(machine)[1].why == answer.why
    assert digests(machine, [1]) == before
    return why


def test_whatever_a_login_prints_is_no_answer(machine: Machine) -> None:
    first_of_bashrc(machine, f"{NOISE}; exec 2>&1; set -xv")
    status, answer = logged_in(machine)
    assert (status, answer.status) == (0, "fine"), answer
    assert [one.action for one in answer.disks] == ["prepare"]
    assert answer.host_key == machine.image.host_key
    assert re.fullmatch(r"[0-9.]+", answer.address)


@pytest.mark.parametrize(
    ("line", "hint"),
    [("exit 0", "as an `exit` or `exec` in ~/.bashrc"), ("read first", "read the beginning of standard input")],
)
def test_a_login_that_runs_no_script_is_told(line: str, hint: str, machine: Machine) -> None:
    first_of_bashrc(machine, line)
    _, answer = logged_in(machine)
    assert answer.status == "failed"
    assert hint in answer.why[0]


def test_without_rights_the_line_of_sudoers_is_given(machine: Machine) -> None:
    """And the status is not that of a refusal."""
    machine.root("sed -i s/NOPASSWD:// /etc/sudoers.d/ops")
    status, answer = logged_in(machine, "apply")
    assert (status, answer.status) == (3, "failed")
    assert "sudo: a password is required" in answer.why[0]
    assert "echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/zz-fluxstead" in answer.why[0]


def test_a_host_behind_another_is_asked_and_both_keys_are_those_of_the_description(machine: Machine) -> None:
    """The machine itself is the host in between: its sshd is reached from outside by a port of loopback, and then by its own."""

    def asked(key_in_between: str) -> Answer:
        key = machine.image.host_key
        jump = {"address": "127.0.0.1", "port": machine.port, "user": "ops", "hostKey": key_in_between}
        ssh = {"address": "127.0.0.1", "user": "ops", "hostKey": key, "privateKeyFile": str(machine.home / "key"), "jump": jump}
        plain = {"name": "k3s1", "cluster": "c", "address": "192.0.2.1", "role": "server", "state": "live", "ssh": ssh}
        return ask_node(Node.model_validate(plain), machine.home)

    assert asked(machine.image.host_key).status == "fine"
    [why] = asked(machine.image.host_key[:-8] + "AAAAAAAA").why
    assert "Host key verification failed" in why
    assert f"ops@127.0.0.1:{machine.port} or 127.0.0.1 shows another key" in why


def typed(machine: Machine, why: str) -> None:
    """What the message says to type."""
    machine.root(why.partition("type: ")[2].partition(";")[0].replace("sudo ", ""))


def test_a_protected_fstab_is_told_before_a_disk_is_touched(machine: Machine) -> None:
    machine.root("chattr +i /etc/fstab")
    typed(machine, refused_for(machine, "/etc/fstab cannot be written: somebody made /etc/fstab immutable"))
    assert apply(machine, disk(1))["disks"][0]["action"] == "prepare"
    machine.root("chattr +i /etc/fstab")
    assert not apply(machine, disk(1))["changed"], "nothing is due, so nothing stands against it"


BASH = "ln -sf bash /bin/sh"
"""Keeps a long here-document in a file, which a shell like Debian's own does not need."""


def test_a_full_root_is_told_before_a_disk_is_touched(machine: Machine) -> None:
    machine.root(BASH)
    fill = "free=$(stat -f -c %f /); size=$(stat -f -c %S /)\n"
    fill += "until fallocate -l $((free * size)) /srv/fill 2>/dev/null; do free=$((free - 4096)); done"
    machine.root(f"{fill}; cat /dev/zero 2>/dev/null >/srv/rest || sync")
    refused_for(machine, "/etc/fstab", "/ is full (", "sudo du -xh /")
    machine.root("rm /srv/fill /srv/rest")
    assert apply(machine, disk(1))["disks"][0]["action"] == "prepare"


@pytest.mark.parametrize("shell", [":", BASH], ids=["dash", "bash"])
def test_a_root_that_an_error_made_read_only_is_told_before_a_disk_is_touched(shell: str, machine: Machine) -> None:
    machine.root(f"{shell}; sync; echo u > /proc/sysrq-trigger; until ! touch /etc/x; do sleep 1; done")
    why = refused_for(machine, "/etc/fstab", "/ is mounted read-only", "sudo dmesg")
    typed(machine, why.replace("else type: ", "type: "))
    assert apply(machine, disk(1))["disks"][0]["action"] == "prepare"


def test_a_locked_dpkg_is_waited_for_and_then_named(bare: Machine) -> None:
    hold = "import fcntl, time; h = open('/var/lib/dpkg/lock-frontend', 'r+'); fcntl.lockf(h, fcntl.LOCK_EX); time.sleep(6000)"
    bare.root(f'systemd-run --unit=busy python3 -c "{hold}"; sleep 5')
    before = digests(bare, [1])
    source = python_source().replace(LAST_LINE, f"LOCKED_SECONDS = 5\n{LAST_LINE}")
    done = bare.script(stdin_for("apply", node(disk(1)), source))
    [why] = result_of(done)["why"]
    assert (done.status, result_of(done)["status"]) == (3, "failed")
    pid = bare.root("systemctl show --property=MainPID --value busy").strip()
    assert f"dpkg is locked by process {pid}, /usr/bin/python3 -c import fcntl" in why
    assert f"packages: waiting for process {pid}" in done.err
    assert digests(bare, [1]) == before


def test_what_others_left_half_installed_is_named_and_left(bare: Machine) -> None:
    control = "Package: theirs\\nVersion: 1\\nArchitecture: all\\nMaintainer: t <t@example.test>\\nDescription: of the tests\\n"
    bare.root(
        f"mkdir -p /tmp/theirs/DEBIAN; cd /tmp; printf '{control}' > theirs/DEBIAN/control\n"
        "printf '#!/bin/sh\\ntest -e /tmp/mended\\n' > theirs/DEBIAN/postinst; chmod 755 theirs/DEBIAN/postinst\n"
        "dpkg-deb --build theirs theirs.deb >/dev/null; ! dpkg -i theirs.deb 2>/dev/null >&2"
    )
    refused_for(bare, "others began to install are not finished: theirs:all (half-configured)", "sudo dpkg --configure -a")
    assert bare.root("dpkg-query -W -f '${db:Status-Status}' theirs") == "half-configured"
    bare.root("touch /tmp/mended; dpkg --configure -a >/dev/null")
    assert plan(bare, disk(1))["status"] == "fine"


def test_a_host_without_a_way_to_its_packages_is_told_before_a_disk_is_touched(bare: Machine) -> None:
    bare.root(
        "echo 'deb [trusted=yes] http://127.0.0.1:9/debian stable main' > /etc/apt/sources.list; rm -f /var/lib/apt/lists/*_*"
    )
    before = digests(bare, [1])
    done = bare.script(stdin_for("apply", node(disk(1))))
    [why] = result_of(done)["why"]
    assert done.status == 3
    assert "the package lists could not be fetched from http://127.0.0.1:9/debian/dists/stable/InRelease (Could not connect" in why
    assert (
        "sudo apt-get install --no-install-recommends cryptsetup-bin nfs-common open-iscsi" in why or "nfs-common open-iscsi" in why
    )
    assert digests(bare, [1]) == before
