"""Hosts that are well and unlike the usual: mounts over mounts, labels of SELinux, a wrong clock, other shells, an old Python."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from fluxstead.hosts.answer import Answer, read_answer
from fluxstead.hosts.build import stdin_for, token_of

from .kept import looked_at
from .machines import skip_without_tools
from .support import EXT4, XFS, apply, digests, disk, node, partitioned, path, plan, refused, with_file
from .vm import Machine, disks

pytestmark = pytest.mark.machine
AT = "/mnt/longhorn/d1"


def test_what_is_mounted_over_or_under_a_disk_is_told_and_kept(machine: Machine) -> None:
    """The folder under a mount is made immutable; where that is another filesystem's root, the flag would be a write to it."""
    machine.root(f"{partitioned(2)}{XFS} $p; mkdir -p {AT}; mount $p {AT}\n{with_file(1, EXT4)}mount $p {AT}")
    under = f"/dev/sdb1 is mounted at {AT} too, under /dev/sda1"
    assert under in plan(machine, disk(1))["disks"][0]["message"]
    assert under in refused(machine, disk(1))["d1"]
    assert f"{AT} is taken: /dev/sda1 is mounted there" in refused(machine, disk(2, filesystem="xfs", mountPath=AT))["d2"]
    kept = f"cat {AT}/photos/summer.jpg; umount {AT}; touch {AT}/x; umount {AT}; e2label /dev/sda1; grep -c {AT} /etc/fstab || true"
    assert machine.root(kept) == "precious\n\n0\n"

    apply(machine, disk(3))
    machine.root("mount -t tmpfs over /mnt/longhorn/d3")
    assert "/mnt/longhorn/d3 is taken: over is mounted there" in refused(machine, disk(3))["d3"]
    machine.root("umount /mnt/longhorn/d3; mount -t tmpfs over /mnt/longhorn")
    hidden = refused(machine, disk(3), disk(4))
    assert all(f"/mnt/longhorn/{name} lies on what is mounted at /mnt/longhorn" in why for name, why in hidden.items()), hidden
    assert set(hidden) == {"d3", "d4"}
    machine.root("umount /mnt/longhorn")
    assert not apply(machine, disk(3))["changed"]


CONTEXT = 'context="system_u:object_r:container_file_t:s0:c12,c345"'
LABEL = "system_u:object_r:container_file_t:s0"
LABELLED = """
import os, sys
for path in sys.argv[2:]:
    if sys.argv[1] != "-":
        os.setxattr(path, "security.selinux", sys.argv[1].encode() + b"\\0")
    print(path, os.getxattr(path, "security.selinux").decode().strip("\\0"))
"""


def test_labels_of_selinux_are_kept(machine: Machine) -> None:
    """As an option of a line that is adopted, and on the files and folders that adoption touches."""
    paths = f"/etc/fstab {AT} {AT}/photos"
    machine.root(
        f"{with_file(1, EXT4)}mkdir -p {AT}; printf '%s\\n' \"$(readlink -f $p)\"' {AT} ext4 noatime,{CONTEXT} 0 2' >> /etc/fstab; "
        f"python3 -c '{LABELLED}' {LABEL} {AT}; mount {AT}; python3 -c '{LABELLED}' {LABEL} {paths}"
    )
    files = f"cd {AT}; find . -type f -exec md5sum {{}} +"
    before = machine.root(files)
    [told] = plan(machine, disk(1))["disks"]
    assert f"noatime,{CONTEXT},nofail" in "\n".join(told["notes"])
    assert apply(machine, disk(1))["disks"][0]["action"] == "adopt"
    assert f"noatime,{CONTEXT},nofail" in machine.root(f"grep '^UUID=.* {AT} ' /etc/fstab")
    machine.root(f"umount {AT}; python3 -c '{LABELLED}' - /etc/fstab {AT} | grep -c {LABEL}$ | grep -x 2; mount {AT}")
    assert machine.root(f"python3 -c '{LABELLED}' - {paths}").count(f"{LABEL}\n") == 3
    assert machine.root(files) == before
    assert not apply(machine, disk(1))["changed"]


def test_a_wrong_clock_changes_nothing(machine: Machine) -> None:
    """A consent that was given in 1970 holds in 2040, and a disk that was prepared in 2040 is ours in 1970."""
    # No earlier: the kernel takes no time at which it would have been started before 1970.
    machine.root("date -s '1970-01-02 UTC' >/dev/null\n" + with_file(1, EXT4))
    blank = disk(3, filesystem="xfs")
    seen = looked_at(machine, disk(1), blank)
    assert [one["action"] for one in seen.values()] == ["refuse", "prepare"]
    agreed = disk(1, wipe=seen["d1"]["write"].removeprefix("wipe: "))
    assert apply(machine, blank)["disks"][0]["action"] == "prepare"
    machine.root("date -s '2040-06-01 12:00:00 UTC' >/dev/null")
    assert {one["action"] for one in apply(machine, agreed, blank)["disks"]} == {"wipe", "nothing"}
    machine.root("date -s '1970-01-02 UTC' >/dev/null")
    assert not apply(machine, agreed, blank)["changed"]


def answered(machine: Machine, mode: str = "plan") -> Answer:
    """What a run by the operator's own login answers."""
    stdin = stdin_for("apply" if mode == "apply" else "plan", node(disk(1)))
    done = machine.ssh("sh -s", stdin)
    return read_answer(done.out, token_of(stdin), done.err)


@pytest.mark.parametrize("shell", ["/bin/dash", "/usr/bin/zsh"])
def test_any_shell_of_the_login_will_do(shell: str, machine: Machine) -> None:
    """And whatever it prints on its way, here zsh's own file for every command."""
    machine.root(f"usermod -s {shell} ops; echo 'echo welcome' > /home/ops/.zshenv")
    assert answered(machine).disks[0].action == "prepare"
    assert answered(machine, "apply").status == "fine"
    assert answered(machine).disks[0].action == "nothing"


OLD = """#!/bin/sh
# As the look at it sees an older one.
[ "$1 $2" = '-I -c' ] || exec {real} "$@"
shift 2
code="import sys; sys.version_info = (3, 8, 10, 'final', 0)
$1"
shift
exec {real} -I -c "$code" "$@"
"""


def test_an_old_python_is_told_unless_a_newer_one_is_beside_it(machine: Machine) -> None:
    old = OLD.format(real="/opt/python")
    machine.root(
        f"cp /usr/bin/python3.11 /opt/python; cat > /usr/local/bin/python3 <<'END'\n{old}END\nchmod 755 /usr/local/bin/python3"
    )
    assert answered(machine).disks[0].action == "prepare", "python3.11 is there"
    machine.root("mv /usr/bin/python3.11 /opt/hidden; rm /usr/bin/python3")
    before = digests(machine, [1])
    told = answered(machine, "apply")
    assert told.status == "failed"
    assert "Python 3.9 or newer is needed on this host (Debian GNU/Linux 12 (bookworm))" in told.why[0]
    assert "/usr/local/bin/python3 is 3.8.10, which is too old" in told.why[0]
    assert digests(machine, [1]) == before


MANY_FILES = """
import os
for folder in range(2000):
    os.makedirs(f"/tmp/m/{folder % 50}/{folder}")
    for name in range(10):
        open(f"/tmp/m/{folder % 50}/{folder}/{name}", "w").close()
"""


def test_a_plan_of_large_disks(record_property: Callable[[str, object], None]) -> None:
    """How long it takes is told and not judged, as a machine that is emulated beside others is as slow as they let it be."""
    skip_without_tools()
    with Machine(disks(2, "500G")) as machine:
        machine.root(
            f"mkfs.ext4 -q -F {path(2)}; mkdir -p /tmp/m; mount {path(2)} /tmp/m; python3 -c '{MANY_FILES}'; umount /tmp/m"
        )
        took = []
        actions = []
        for wanted in ([], [disk(1)], [disk(2)]):
            machine.root("sync; echo 3 > /proc/sys/vm/drop_caches")
            began = time.monotonic()
            actions += [one["action"] for one in plan(machine, *wanted)["disks"]]
            took.append(f"{time.monotonic() - began:.1f}")
        assert actions == ["prepare", "refuse"]
        record_property("one host with two disks of 500 GB, seconds per plan: of neither, the blank one, an ext4", ", ".join(took))
