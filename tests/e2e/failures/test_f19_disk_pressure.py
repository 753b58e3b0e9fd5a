"""F19: a node was down through DiskPressure caused by logs."""

from __future__ import annotations

import pytest

from fluxstead.hosts.build import stdin_for
from tests.e2e.hosts.support import node, patched, plan
from tests.e2e.hosts.vm import Machine

BOUND = 16
MIB = 1024 * 1024
FLOOD = (
    f"rm -rf /var/log/journal/*/*@*; head -c {48 * MIB} /dev/urandom | base64 -w 40000 | systemd-cat -t flood; journalctl --sync; "
)
FLOOD += "du -s --block-size=1 /var/log/journal | cut -f1"
"""More than may stay, as random text that journald cannot compress; then what it keeps, in bytes."""


@pytest.mark.machine
def test_logs_fill_the_disk_of_a_bare_host_and_not_that_of_a_prepared_one(bare: Machine) -> None:
    bare.root("mkdir -p /var/log/journal; systemctl restart systemd-journald; journalctl --flush")
    assert int(bare.root(FLOOD)) > 2 * BOUND * MIB
    done = bare.script(stdin_for("apply", node(), patched(f'JOURNAL_MAX_USE = "{BOUND}M"\n')), seconds=900)
    assert done.status == 0, (done.out, done.err)
    assert int(bare.root(FLOOD)) <= 1.5 * BOUND * MIB


@pytest.mark.machine
def test_the_plan_names_a_filesystem_that_is_nearly_full(machine: Machine) -> None:
    """Before kubelet evicts."""
    assert "pressure" in plan(machine)
    assert not plan(machine)["pressure"]
    machine.root("fallocate -l $(( $(stat -f -c '%a * %S' /) - 64 * 1024 * 1024 )) /var/filled")
    [told] = plan(machine)["pressure"]
    assert told.startswith("the filesystem of /var/log has ")
