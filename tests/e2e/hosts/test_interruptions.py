"""The script killed or the power cut at every point, two runs at once, and disks that are replaced or copied."""

from __future__ import annotations

import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import pytest

from fluxstead.hosts.build import COMMAND, stdin_for

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
from .vm import DiskSpec, Machine, disks

pytestmark = pytest.mark.machine

OTHERS = [2, 3]
WHOLE_SECONDS = 20
"""What such a run takes on an emulated machine."""
LINES = 16
"""Lines of a whole run that wipes and prepares one disk, without its result."""


@dataclass(frozen=True)
class Case:
    """Disk 1 with content, and the consent to lose it; disk 2 with content and no consent."""

    machine: Machine
    wanted: dict[str, object]
    others: dict[int, str]


@pytest.fixture(scope="module")
def saved(booted: Machine) -> Case:
    """The case, saved as `foreign`."""
    booted.load("clean")
    booted.root(with_file(2, EXT4) + with_file(1, EXT4) + "sync")
    consent = plan(booted, disk(1))["disks"][0]["write"].removeprefix("wipe: ")
    others = digests(booted, OTHERS)
    booted.save("foreign")
    return Case(booted, disk(1, wipe=consent), others)


@pytest.fixture
def case(saved: Case) -> Case:
    """The case as it was saved."""
    saved.machine.load("foreign")
    return saved


def finished(case: Case) -> None:
    """A run after the interruption prepares the disk; then there is nothing to do; other disks are untouched."""
    apply(case.machine, case.wanted)
    assert {one["action"] for one in plan(case.machine, case.wanted)["disks"]} == {"nothing"}
    mounted = f"findmnt -n /mnt/longhorn/d1; e2fsck -fn {path(1)}-part1; "
    case.machine.root(mounted + f"sgdisk --verify {path(1)} | grep 'No problems'")
    assert digests(case.machine, OTHERS) == case.others


@pytest.mark.parametrize("line", range(1, LINES + 1))
def test_killed_after_every_line(case: Case, line: int) -> None:
    done = case.machine.script(stdin_for("apply", node(case.wanted), patched(stop_after_line(line, KILL))))
    assert done.status in (137, 255), done
    finished(case)


@pytest.mark.parametrize("count", [0, 5_000, 200_000, 400_000, 900_000, 1_470_000, 2_000_000])
def test_killed_in_the_middle_of_a_write(case: Case, count: int) -> None:
    done = case.machine.script(stdin_for("apply", node(case.wanted), patched(stop_after_bytes(count, KILL))))
    assert done.status in (137, 255), done
    finished(case)


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_a_random_moment(case: Case, seed: int) -> None:
    """From outside, whatever it is doing; the tool that it runs lives on, and the next run waits for its end."""
    moment = Random(seed).uniform(1, WHOLE_SECONDS)  # noqa: S311 - it has to fail again
    command = f"sudo -n timeout --foreground -s KILL {moment:.1f} {COMMAND}"
    done = case.machine.ssh(command, stdin_for("apply", node(case.wanted)))
    assert done.status in (0, 137, 255), done
    finished(case)


@pytest.mark.parametrize(
    "patch",
    [
        *(stop_after_line(line, POWER_CUT) for line in (2, 4, 6, 8, 9, 13, 15)),
        *(stop_after_bytes(count, POWER_CUT) for count in (0, 200_000, 900_000)),
    ],
)
def test_power_cut(case: Case, patch: str) -> None:
    with suppress(subprocess.TimeoutExpired):
        case.machine.script(stdin_for("apply", node(case.wanted), patched(patch)), seconds=90)
    case.machine.reboots += 1
    time.sleep(1)
    case.machine.await_ssh()
    finished(case)


def test_a_wipe_is_not_resumed_once_somebody_used_the_disk(case: Case) -> None:
    machine, wanted = case.machine, case.wanted
    machine.script(stdin_for("apply", node(wanted), patched(stop_after_bytes(200_000, KILL))))
    machine.root(f"wipefs -qa {path(1)}; mkfs.ext4 -q -F {path(1)}; mount {path(1)} /mnt; echo new > /mnt/new; umount /mnt")
    before = digests(machine, [1])
    assert "other content" in refused(machine, wanted)["d1"]
    assert digests(machine, [1]) == before


def test_two_runs_at_once_do_everything_once(machine: Machine) -> None:
    wanted = disk(1)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: apply(machine, wanted), range(2)))
    assert sorted(run["changed"] for run in runs) == [False, True]


def test_disks_that_are_replaced_or_copied_are_not_taken_for_the_declared_ones() -> None:
    """Another disk of equal size in the same place; and a byte for byte copy, which a mount by UUID could meet."""
    with Machine(disks(2, "400M")) as machine:
        apply(machine, disk(1), disk(2))
        one, two = machine.specs
        replaced = DiskSpec("WD-FS0007", "0x50014ee000000007")
        machine.make_disk(DiskSpec(replaced.serial, replaced.wwn, "400M"))
        machine.restart([replaced, two])
        messages = refused(machine, disk(1), disk(2))
        assert "./run render" in messages["d1"]
        assert set(messages) == {"d1"}

        copy = DiskSpec("WD-FS0008", "0x50014ee000000008")
        shutil.copy(machine.home / one.name, machine.home / copy.name)
        machine.restart([copy, one, two])
        machine.root("umount /mnt/longhorn/d1 || true")
        messages = refused(machine, disk(1), disk(8))
        assert "is also on" in messages["d1"]
        assert set(messages) == {"d1", "d8"}
        assert "is also on" in messages["d8"] or "fstab mounts it at" in messages["d8"]

        twin = DiskSpec(one.serial, "0x50014ee000000009", "400M", file="twin")
        machine.make_disk(twin)
        machine.restart([one, twin, two])
        messages = refused(machine, disk(1), disk(2))
        assert set(messages) == {"d1"}
        assert "found twice" in messages["d1"]
