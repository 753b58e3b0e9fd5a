"""Every structure that is written by hand from its specification, on real disks: each is named or called content, and kept.

Most of them no tool of the host can make: ZFS, VMFS, LDM, BitLocker, hardware RAID. Those that its tools make are made by them too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hosts.structures import STRUCTURES, Structure, shifted
from tests.hosts.structures.checksums import MIB

from .kept import looked_at, named_and_kept
from .machines import skip_without_tools
from .stacks import TABLE
from .states import State
from .support import digests, disk, path, refused
from .vm import Machine, disks

pytestmark = pytest.mark.machine
SIZE = 160 * MIB
AT_ONCE = 18
"""Disks of the machine; every round puts another structure on each."""
ROUNDS = [STRUCTURES[first : first + AT_ONCE] for first in range(0, len(STRUCTURES), AT_ONCE)]
WRITE = """
import base64, json, os, sys
for line in sys.stdin:
    path, pieces = json.loads(line)
    handle = os.open(path, os.O_WRONLY)
    for at, data in pieces:
        os.pwrite(handle, base64.b64decode(data), at)
    os.fsync(handle)
    os.close(handle)
"""
FOR_REPLICAS = {"ext4", "xfs", "btrfs", "reiserfs", "jfs", "nilfs2", "f2fs"}
"""What Longhorn may have been on, where nothing of it can be looked into."""
UNKNOWN = {"bcachefs"}
"""To the libblkid of Debian 12; other tools know it."""

CONTROLLERS = {"imsm", "promise", "ddf"}
"""Make arrays of whole disks: libblkid takes some of them for nothing in a partition, and rightly."""


@pytest.fixture(scope="module")
def booted_blank() -> Iterator[Machine]:
    """A machine with many small disks, on which nothing takes half an array into use; saved as `blank`."""
    skip_without_tools()
    with Machine(disks(AT_ONCE, str(SIZE))) as machine:
        machine.root("ln -s /dev/null /etc/udev/rules.d/64-md-raid-assembly.rules; udevadm control --reload; sync")
        machine.save("blank")
        yield machine


def as_what_it_is(one: Structure, told: dict[str, Any]) -> None:
    """It is named where libblkid knows it, and else said to be there; no consent covers what replicas may lie in."""
    named = one.blkid if one.blkid not in UNKNOWN else ""
    assert told["action"] == "refuse", (one.name, told)
    assert named in told["found"]["contents"] if named else "not zero at" in told["message"], (one.name, told)
    seen = {kind for kind in FOR_REPLICAS if f": {kind}" in told["found"]["contents"]}
    assert seen or named not in FOR_REPLICAS, (one.name, told)
    assert told["write"].startswith("wipe: ") != bool(seen), (one.name, told)
    assert not seen or "may hold Longhorn replicas" in told["message"], (one.name, told)


@pytest.mark.parametrize("where", ["whole", "partition"])
@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_a_structure_is_named_and_kept(booted_blank: Machine, number: int, where: str) -> None:
    machine = booted_blank
    machine.load("blank")
    held = {n: one for n, one in enumerate(ROUNDS[number], 1) if where == "whole" or one.name not in CONTROLLERS}
    if where == "partition":
        lines = "; ".join(f"echo '2048,{SIZE // 512 - 4096},L' | sfdisk -q --label gpt {path(one)}" for one in held)
        machine.root(f"{lines}; udevadm settle")
    pieces = {
        n: one.make(SIZE, 512) if where == "whole" else shifted(one.make, SIZE, 512, MIB, SIZE - MIB) for n, one in held.items()
    }
    rows = [(path(n), [(at, base64.b64encode(data).decode()) for at, data in each.items()]) for n, each in pieces.items()]
    sent = machine.ssh(f"sudo -n python3 -c '{WRITE}'", "".join(json.dumps(row) + "\n" for row in rows))
    assert not sent.status, sent.err
    machine.root("".join(f"blockdev --rereadpt {path(n)}\n" for n in held) + "udevadm settle")
    before = digests(machine, list(held))
    seen = looked_at(machine, *(disk(n, size=100 * MIB) for n in held))
    for n, one in held.items():
        as_what_it_is(one, seen[f"d{n}"])
    assert digests(machine, list(held)) == before
    others = [disk(n, size=100 * MIB, wipe=f"WD-FS{n:04d}/{'0' * 24}" if n % 2 else None) for n in held]
    assert set(refused(machine, *others)) == set(seen)
    assert digests(machine, list(held)) == before


@pytest.mark.parametrize("states", TABLE.values(), ids=TABLE)
def test_what_the_host_s_own_tools_made_is_named_and_kept(machine: Machine, states: list[State]) -> None:
    named_and_kept(machine, states)
