"""The script killed or the power cut at every point, two runs at once, and disks that move, vanish or are copied."""

from __future__ import annotations

import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from fluxstead.hosts.build import stdin_for

from .support import (
    EXT4,
    KILL,
    POWER_CUT,
    apply,
    digests,
    disk,
    node,
    patched,
    path,
    plan,
    refused,
    stop_after_bytes,
    stop_after_line,
    with_file,
)
from .vm import DiskSpec, Machine

OTHERS = [2, 3]
LINES = 19
"""Lines of a whole run that unmounts, wipes and prepares one disk, without its result."""


def foreign(machine: Machine) -> dict[str, object]:
    """Disk 1 with content, mounted, and the consent to lose it; disk 2 with content and no consent."""
    machine.root(with_file(2, EXT4) + with_file(1, EXT4) + "mkdir -p /srv/old; mount $p /srv/old; sync")
    consent = plan(machine, disk(1))["disks"][0]["write"].removeprefix("wipe: ")
    return disk(1, wipe=consent)


def finished(machine: Machine, wanted: dict[str, object], others: dict[int, str]) -> None:
    """A run after the interruption prepares the disk; the next one finds nothing to do; other disks are untouched."""
    apply(machine, wanted)
    assert not apply(machine, wanted)["changed"]
    machine.root(f"findmnt -n /mnt/longhorn/d1; e2fsck -fn {path(1)}-part1; sgdisk --verify {path(1)} | grep 'No problems'")
    assert digests(machine, OTHERS) == others


def test_killed_after_every_line_and_in_the_middle_of_writes(machine: Machine) -> None:
    wanted = foreign(machine)
    others = digests(machine, OTHERS)
    machine.save("foreign")
    patches = [stop_after_line(number, KILL) for number in range(1, LINES + 1)]
    patches += [stop_after_bytes(number, KILL) for number in (5000, 1100000, 2500000, 4300000, 4305000, 5400000)]
    killed = 0
    for patch in patches:
        machine.load("foreign")
        done = machine.script(stdin_for("apply", node(wanted), patched(patch)))
        assert done.status in (0, 137, 255), done
        killed += done.status != 0
        finished(machine, wanted, others)
    print(f"kill points: {killed}")  # noqa: T201 - a figure for the log
    assert killed >= LINES


@pytest.mark.parametrize(
    "patch",
    [
        *(stop_after_line(number, POWER_CUT) for number in (4, 6, 8, 10, 14, 18)),
        *(stop_after_bytes(number, POWER_CUT) for number in (2500000, 4305000)),
    ],
)
def test_power_cut(machine: Machine, patch: str) -> None:
    wanted = foreign(machine)
    others = digests(machine, OTHERS)
    with suppress(subprocess.TimeoutExpired):
        machine.script(stdin_for("apply", node(wanted), patched(patch)), seconds=90)
    machine.reboots += 1
    time.sleep(1)
    machine.await_ssh()
    finished(machine, wanted, others)


def test_a_wipe_is_not_resumed_once_somebody_used_the_disk(machine: Machine) -> None:
    wanted = foreign(machine)
    machine.script(stdin_for("apply", node(wanted), patched(stop_after_bytes(2500000, KILL))))
    machine.root(f"wipefs -qa {path(1)}; mkfs.ext4 -q -F {path(1)}; mount {path(1)} /mnt; echo new > /mnt/new; umount /mnt")
    before = digests(machine, [1])
    assert "other content" in refused(machine, wanted)["d1"]
    assert digests(machine, [1]) == before


def test_two_runs_at_once_do_everything_once(machine: Machine) -> None:
    wanted = disk(1)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: apply(machine, wanted), range(2)))
    assert sorted(run["changed"] for run in runs) == [False, True]


def test_disks_that_move_vanish_are_replaced_or_copied(machine: Machine) -> None:
    wanted = disk(1), disk(2)
    apply(machine, *wanted)
    machine.root("echo data > /mnt/longhorn/d1/data; sync")
    one, two, *rest = machine.specs
    named = machine.root(f"readlink -f {path(1)}").strip()
    machine.restart([*rest, two, one])
    assert machine.root(f"readlink -f {path(1)}").strip() != named
    assert {each["action"] for each in plan(machine, *wanted)["disks"]} == {"nothing"}
    text = refused(machine, disk(1, device=named))["d1"]
    assert "do not agree" in text
    replaced = DiskSpec("WD-FS0007", "0x50014ee000000007")
    shutil.copy(machine.home / rest[0].name, machine.home / replaced.name)
    machine.restart([replaced, two, *rest[1:]])
    assert machine.root("systemctl is-system-running || true").strip() in ("running", "degraded")
    messages = refused(machine, *wanted)
    assert "./run render" in messages["d1"]
    assert set(messages) == {"d1"}
    copy = DiskSpec("WD-FS0008", "0x50014ee000000008")
    shutil.copy(machine.home / one.name, machine.home / copy.name)
    machine.restart([copy, one, two])
    machine.root("umount /mnt/longhorn/d1 || true")
    messages = refused(machine, disk(1), disk(8))
    assert "is also on" in messages["d1"]
    assert set(messages) == {"d1", "d8"}
    assert "holds content" in messages["d8"] or "taken" in messages["d8"]
