"""However a run on real parts ends, its processes end with it, and its files go with the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.hosts.machines import skip_without_tools
from tests.e2e.isolation import scratch

PROGRAM = """
import time
from tests.e2e.cluster.processes import Processes
from tests.e2e.isolation import scratch

with scratch() as folder:
    (folder / "logs").mkdir()
    processes = Processes(folder / "logs")
    processes.start("program", ["sleep", "600"])
    print(folder, processes._running["program"].pid, flush=True)
    time.sleep(600)
"""
MACHINE = """
import time
from tests.e2e.described import booted
from tests.e2e.hosts.vm import Machine, disks

def report(machine):
    print(machine.home, machine.process.pid, flush=True)
    time.sleep(600)

Machine.await_ssh = report
with booted(disks(1)):
    pass
"""


@pytest.mark.parametrize("script", [PROGRAM, pytest.param(MACHINE, marks=pytest.mark.machine)], ids=["program", "machine"])
def test_a_killed_run_leaves_no_process_and_no_file(script: str) -> None:
    """Not even when it had no chance to clean up."""
    if script == MACHINE:
        skip_without_tools()
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert run.stdout
    folder, process = run.stdout.readline().split()
    with scratch():
        assert Path(folder).is_dir()  # of a run that goes on
    assert alive(int(process))
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    end = time.monotonic() + 10
    while alive(int(process)):
        assert time.monotonic() < end
        time.sleep(0.05)
    with scratch():
        assert not Path(folder).exists()


def alive(process: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
