"""One machine for many tests: prepared but for its disks, and put back to that state before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .image import missing_tools
from .support import apply
from .vm import Machine, disks


@pytest.fixture(scope="module")
def booted() -> Iterator[Machine]:
    """A booted machine with six data disks, everything but the disks prepared, saved as `clean`."""
    absent = missing_tools()
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
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
