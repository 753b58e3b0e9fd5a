"""Disks that hold somebody's data: what is said of them, and that neither a look nor a refused run changes anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .states import State, shell
from .support import apply, digests, disk, plan, refused
from .vm import Machine

KNOWN = (
    "cat /proc/mdstat; dmsetup table; losetup -a; cat /proc/self/mountinfo | sort; cat /proc/swaps; ls -l /dev/disk/by-*/ | sort; "
)
KNOWN += "btrfs filesystem show 2>/dev/null || true; grep -H . /sys/class/block/sd*/stat | awk '{print $1, $8}'"
"""What the kernel and udev know of devices, and the sectors written to each."""


def looked_at(machine: Machine, *wanted: dict[str, object]) -> dict[str, dict[str, Any]]:
    """The plan, which changes nothing that the kernel or udev knows, and no byte."""
    before = machine.root(KNOWN).splitlines()
    seen = {one["name"]: one for one in plan(machine, *wanted)["disks"]}
    machine.root("udevadm settle")
    after = machine.root(KNOWN).splitlines()
    assert after == before, set(after) ^ set(before)
    return seen


def named_and_kept(machine: Machine, table: Sequence[State]) -> None:
    """Makes each state on a disk of its own, and goes from the refusal over a consent that is void to one that holds."""
    states = dict(enumerate(table, 1))
    machine.root("".join(shell(number, state.make.replace("dN", f"d{number}")) for number, state in states.items()))
    wanted = {number: disk(number, **state.declared) for number, state in states.items()}
    before = digests(machine, list(states))
    seen = looked_at(machine, *wanted.values())
    consents = {number: as_said(state, seen[f"d{number}"]) for number, state in states.items()}
    assert set(refused(machine, *wanted.values())) == set(seen)
    zeros = {number: f"WD-FS{number:04d}/{'0' * 24}" for number in states}
    assert set(refused(machine, *(disk(number, wipe=wipe) for number, wipe in zeros.items()))) == set(seen)
    assert digests(machine, list(states)) == before

    changed = {number: state for number, state in states.items() if state.change}
    machine.root("".join(shell(number, state.change) for number, state in changed.items()))
    late = digests(machine, list(changed))
    for number, state in changed.items():
        assert late[number] != before[number], f"{state.name}: the change changed nothing"
    if changed:
        stale = [disk(number, wipe=consents[number]) for number in changed]
        assert set(refused(machine, *stale)) == {str(one["name"]) for one in stale}
        assert digests(machine, list(changed)) == late
    agreed = {number: state for number, state in states.items() if state.consent != "never"}
    if agreed:
        again = looked_at(machine, *(wanted[number] for number in agreed))
        fresh = [disk(number, wipe=again[f"d{number}"]["write"].removeprefix("wipe: ")) for number in agreed]
        assert {one["action"] for one in apply(machine, *fresh)["disks"]} == {"wipe"}
        assert {one["action"] for one in plan(machine, *fresh)["disks"]} == {"nothing"}


def as_said(state: State, seen: dict[str, Any]) -> str:
    """The consent that is offered, once what is said was compared with what must be."""
    assert seen["action"] == "refuse", (state.name, seen)
    assert re.search(state.said.replace("d.mount", r"d\d.mount"), seen["message"]), (state.name, seen["message"])
    offered = seen["write"].removeprefix("wipe: ")
    kind = "never" if not seen["write"].startswith("wipe: ") else "once" if "/once-" in offered else "telling"
    assert kind == state.consent, (state.name, seen["message"], seen["write"])
    return str(offered)
