"""However a run on real parts ends, its processes end with it, and its files go with the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.cluster.processes import scratch

RUN = """
import time
from tests.e2e.cluster.processes import Processes, scratch

with scratch() as folder:
    (folder / "logs").mkdir()
    processes = Processes(folder / "logs")
    processes.start("program", ["sleep", "600"])
    print(folder, processes._running["program"].pid, flush=True)
    time.sleep(600)
"""


def test_a_killed_run_leaves_no_process_and_no_file() -> None:
    """Not even when it had no chance to clean up."""
    run = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert run.stdout
    folder, process = run.stdout.readline().split()
    with scratch():
        assert Path(folder).is_dir()  # of a run that goes on
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
