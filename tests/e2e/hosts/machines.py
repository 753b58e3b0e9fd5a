"""The machines that tests of hosts share: each is booted once a run, and put back to a snapshot before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .image import missing_tools
from .support import apply
from .vm import DiskSpec, Machine, disks

LONGHORN_VOLUME = DiskSpec("volume-1", "0x6000000000000001", "400M", vendor="IET", product="VIRTUAL-DISK")
"""To the host, an attached volume of Longhorn is a disk of this vendor and product."""


def skip_without_tools() -> None:
    """Skip where no machine can be started; in CI that is a failure, which .ci/run sees to by installing them."""
    absent = missing_tools()
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")


@pytest.fixture(scope="session")
def booted() -> Iterator[Machine]:
    """A booted machine with six data disks, everything but the disks prepared, saved as `clean`."""
    skip_without_tools()
    with Machine(disks(6, "400M")) as machine:
        apply(machine)
        machine.root("sync")
        machine.save("clean")
        yield machine


@pytest.fixture
def machine(booted: Machine) -> Machine:
    """The machine as it was saved."""
    booted.load("clean")
    return booted


@pytest.fixture(scope="session")
def booted_bare() -> Iterator[Machine]:
    """A machine with nothing of what Longhorn needs, a blank disk and a volume of Longhorn's; saved as `bare`."""
    skip_without_tools()
    with Machine([*disks(1, "400M"), LONGHORN_VOLUME], bare=True) as machine:
        machine.save("bare")
        yield machine


@pytest.fixture
def bare(booted_bare: Machine) -> Machine:
    """The bare machine as it was saved."""
    booted_bare.load("bare")
    return booted_bare
