"""Eight hosts in one `up` of the real engine: all at the same time, each its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.described import ask_for_less, booted, logins, node_file, write_nodes
from tests.e2e.engine import Engine, which_plugin
from tests.e2e.hosts.machines import skip_without_tools
from tests.e2e.hosts.support import path
from tests.e2e.hosts.vm import disks

STACK = "k3s-flux"
HOSTS = 8


@pytest.mark.machine
def test_eight_hosts_are_prepared_in_one_up_and_left_alone_by_the_next(
    tmp_path: Path, need: Callable[..., object], record_property: Callable[[str, object], None]
) -> None:
    need("pulumi", "pulumi-language-python")
    skip_without_tools()
    engine = Engine(tmp_path, ".", STACK)
    ask_for_less(engine.project, STACK)
    assert engine.run("stack", "init", STACK).returncode == 0

    def up(what: str) -> str:
        began = time.monotonic()
        done = engine.run("up", "--yes", "--skip-preview")
        record_property(f"{what} `up` of {HOSTS} hosts", f"{time.monotonic() - began:.0f} s")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    record_property("pulumi-command's plugin", which_plugin())
    with booted(*([disk] for disk in disks(HOSTS, "400M"))) as machines:
        write_nodes(engine.project, *(node_file(number, machine, [number]) for number, machine in enumerate(machines, 1)))
        up("first")
        before = [logins(machine) for machine in machines]
        for number, machine in enumerate(machines, 1):
            mounted = machine.root(f"findmnt -no SOURCE /mnt/longhorn/d{number}; readlink -f {path(number)}-part1").split()
            assert mounted[0] == mounted[1]
        said = up("unchanged")
        assert "updat" not in said.partition("Resources:")[2]
        # The question above and this one are logins too.
        assert [logins(machine) for machine in machines] == [count + 2 for count in before]
