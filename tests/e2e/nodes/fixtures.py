"""Machines that tests ask for by number, on a network of the test's own; see `network.py` for what that means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.isolation import scratch

from .network import OwnNetwork, own_network
from .packing import UPSTREAM, programs
from .root import PLAYED, MachineRoot, machine_root, missing_tools
from .spawned import SpawnedMachine

STAND_IN = "stand-in, not k3s; upstream kubelet and API server"


class Site:
    """A network, and the machines on it."""

    def __init__(self, home: Path, base: MachineRoot, network: OwnNetwork, ends: ExitStack) -> None:
        self.home = home
        self.base = base
        self.network = network
        self._ends = ends
        self._programs = programs(base, home)
        self._made = 0

    def machines(self, count: int) -> list[SpawnedMachine]:
        """So many bare machines more, named k3s1, k3s2, …, booted."""
        made = []
        for _ in range(count):
            self._made += 1
            place = self.network.machine(self._made)
            machine = SpawnedMachine(
                self.home, self.base, self._programs, name=f"k3s{self._made}", address=place, network=self.network
            )
            self._ends.callback(machine.end)
            machine.start()
            made.append(machine)
        for machine in made:
            machine.await_boot()
        return made


def skip_without_machines() -> None:
    """Skip where none can be started; in CI that is a failure, which .ci/run sees to by installing what is needed."""
    absent = missing_tools()
    if os.geteuid() or absent:
        pytest.skip(f"not installed: {', '.join(absent)}" if absent else "machines in containers are started by root only")


@contextmanager
def whole_site(need: Callable[..., object]) -> Iterator[Site]:
    """An empty network; from here on the test and all that it starts is in it."""
    skip_without_machines()
    need(*UPSTREAM)
    base = machine_root()
    with ExitStack() as ends:
        home = ends.enter_context(scratch())
        network = ends.enter_context(own_network())
        yield Site(home, base, network, ends)


@pytest.fixture
def site(need: Callable[..., object], record_property: Callable[[str, object], None]) -> Iterator[Site]:
    """The same, for one test."""
    record_property("k3s", STAND_IN)
    record_property("stand-ins", PLAYED)
    with whole_site(need) as made:
        yield made
