"""However a run on real parts ends, its processes end with it, and its files go with the next run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.engine import SECONDS
from tests.e2e.hosts.machines import skip_without_tools
from tests.e2e.isolation import scratch
from tests.e2e.nodes.cgroups import sweep
from tests.e2e.nodes.fixtures import skip_without_machines
from tests.e2e.nodes.packing import UPSTREAM

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


@contextmanager
def killed_at_the_end(script: str, *arguments: str) -> Iterator[list[str]]:
    """A run of its own, by the words of its first line."""
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as run:
        assert run.stdout
        try:
            yield run.stdout.readline().split()
        finally:
            run.kill()


def await_none(left: Callable[[], object]) -> None:
    """Wait until nothing is left."""
    end = time.monotonic() + 10
    while found := left():
        assert time.monotonic() < end, found
        time.sleep(0.05)


def programs_with(folder: str) -> list[str]:
    """What runs with this folder in its environment, by name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, or of somebody else
            if folder.encode() in (process / "environ").read_bytes():
                found.append((process / "exe").readlink().name)
    return found


def alive(process: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
