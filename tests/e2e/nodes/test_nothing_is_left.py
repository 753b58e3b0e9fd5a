"""However a run with machines in containers ends, they end with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.isolation import scratch
from tests.e2e.killed import alive, await_none, killed_at_the_end

from .cgroups import sweep
from .fixtures import skip_without_machines
from .packing import UPSTREAM

CONTAINER = """
import time
from contextlib import ExitStack
from tests.e2e.isolation import scratch
from tests.e2e.nodes.fixtures import Site
from tests.e2e.nodes.network import own_network
from tests.e2e.nodes.root import machine_root

with ExitStack() as ends:
    folder = ends.enter_context(scratch())
    (machine,) = Site(folder, machine_root(), ends.enter_context(own_network()), ends).machines(1)
    machine.run("systemd-run -q sleep 600")
    print(folder, *machine.processes(), flush=True)
    time.sleep(600)
"""


@pytest.mark.machine
def test_a_killed_run_leaves_no_machine_in_a_container_and_no_cgroup(need: Callable[..., object]) -> None:
    """A machine's processes are not children of who started it; its cgroups go with the next run that starts one."""
    skip_without_machines()
    need(*UPSTREAM)
    with killed_at_the_end(CONTAINER) as (folder, *processes):
        assert len([process for process in processes if alive(int(process))]) > 5
    await_none(lambda: [process for process in processes if alive(int(process))])
    with scratch():
        assert not Path(folder).exists()
    sweep()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{Path(folder).name}*"))
