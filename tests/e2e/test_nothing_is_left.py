"""However a run on real parts ends, its processes end with it, and its files go with the next run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.engine import SECONDS
from tests.e2e.hosts.machines import skip_without_tools
from tests.e2e.isolation import scratch
from tests.e2e.killed import alive, await_none, killed_at_the_end

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

def report(machine, there):
    print(machine.home, machine.process.pid, flush=True)
    time.sleep(600)

Machine._await = report
with booted(disks(1)):
    pass
"""
ENGINE = """
import sys
from tests.e2e.engine import Engine
from tests.e2e.isolation import scratch

with scratch() as folder:
    engine = Engine(folder, ".", "k3s-flux")
    engine.dial("k3s1", int(sys.argv[1]))
    engine.run("stack", "init", engine.stack)
    print(folder, flush=True)
    engine.run("up", "--yes", "--skip-preview")
"""


@pytest.mark.parametrize("script", [PROGRAM, pytest.param(MACHINE, marks=pytest.mark.machine)], ids=["program", "machine"])
def test_a_killed_run_leaves_no_process_and_no_file(script: str) -> None:
    """Not even when it had no chance to clean up."""
    if script == MACHINE:
        skip_without_tools()
    with killed_at_the_end(script) as (folder, process):
        with scratch():
            assert Path(folder).is_dir()  # of a run that goes on
        assert alive(int(process))
    await_none(lambda: alive(int(process)))
    with scratch():
        assert not Path(folder).exists()


def test_a_killed_run_leaves_nothing_of_the_pulumi_engine(need: Callable[..., object]) -> None:
    """In the middle of `up`, while a host is dialled that does not answer: all that the engine starts is running then."""
    need("pulumi", "pulumi-language-python")
    with socket.create_server(("127.0.0.1", 0)) as host:
        host.settimeout(SECONDS)
        with killed_at_the_end(ENGINE, str(host.getsockname()[1])) as (folder,):
            host.accept()
            assert {"pulumi", "pulumi-language-python", Path(sys.executable).resolve().name} <= set(programs_with(folder))
        await_none(lambda: programs_with(folder))
    with scratch():
        assert not Path(folder).exists()


GO = """#!/bin/sh
case $1 in
  env) printf 'go1.99.0\\nlinux\\namd64\\n' ;;
  build)
    echo built > "$7"
    [ ! -e "$GO_WAITS" ] || exec sleep 600
    ;;
esac
"""


def test_a_killed_build_of_a_tool_leaves_no_folder_for_long(tmp_path: Path) -> None:
    """The next build of the same tool removes it; one of another tool leaves it alone, for that may be at work."""
    go, waits, tools = tmp_path / "bin/go", tmp_path / "waits", tmp_path / "fluxstead/tools"
    go.parent.mkdir()
    go.write_text(GO)
    go.chmod(0o755)
    waits.touch()
    path = f"{go.parent}:{os.environ['PATH']}"
    settings = {**os.environ, "PATH": path, "FLUXSTEAD_CACHE": str(tmp_path), "GO_WAITS": str(waits)}
    command = [sys.executable, "tests/e2e/tools/build.py"]
    with subprocess.Popen([*command, "etcd"], env=settings, start_new_session=True, stderr=subprocess.DEVNULL) as build:
        until = time.monotonic() + SECONDS
        while not list(tools.glob("etcd-*.*/made/etcd")) and time.monotonic() < until:
            time.sleep(0.05)
        os.killpg(build.pid, signal.SIGKILL)
    waits.unlink()
    left = [one for one in tools.iterdir() if one.is_dir()]
    assert left
    subprocess.run([*command, "kwok"], env=settings, check=False, capture_output=True)
    assert left[0].is_dir()
    subprocess.run([*command, "etcd"], env=settings, check=True, capture_output=True)
    assert not left[0].exists()
    assert [one.name for one in tools.glob("etcd-*/etcd")]


def programs_with(folder: str) -> list[str]:
    """What runs with this folder in its environment, by name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, or of somebody else
            if folder.encode() in (process / "environ").read_bytes():
                found.append((process / "exe").readlink().name)
    return found
