"""The reference cluster with the tests' own machines in place of its nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.e2e.hosts.vm import DiskSpec, Machine


@contextmanager
def booted(*disks: Sequence[DiskSpec]) -> Iterator[list[Machine]]:
    """One machine for each list of disks, started at the same time; the threads that started them live as long as they do."""
    with ExitStack() as stack, ThreadPoolExecutor(len(disks)) as pool:
        starting = [pool.submit(stack.enter_context, Machine(specs)) for specs in disks]
        yield [machine.result() for machine in starting]


def node_file(number: int, machine: Machine, disks: Sequence[int], labels: str = "{storage: longhorn}") -> str:
    """The machine as a live node that is prepared; its disks are told by serial."""
    key = machine.home / "key"
    return "\n".join(
        [
            "cluster: k3s-flux",
            f"address: 192.168.86.{70 + number}",
            f"role: {'server' if number == 1 else 'agent'}",
            "state: live",
            "ssh:",
            "  address: 127.0.0.1",
            f"  port: {machine.port}",
            "  user: ops",
            f"  hostKey: {machine.image.host_key}",
            f"  privateKeyFile: {key}",
            f"labels: {labels}",
            "disks:",
            *(f"  - {{name: d{n}, serial: WD-FS{n:04d}, size: 300Mi, mountPath: /mnt/longhorn/d{n}}}" for n in disks),
            "",
        ]
    )


def write_nodes(project: Path, *texts: str) -> None:
    """Put these in place of all nodes, as k3s1, k3s2 and so on."""
    for old in (project / "nodes").iterdir():
        old.unlink()
    for number, text in enumerate(texts, 1):
        (project / f"nodes/k3s{number}.yaml").write_text(text)


def ask_for_less(project: Path, stack: str) -> None:
    """Give the applications volumes that fit on the machines' small disks."""
    file = project / f"Pulumi.{stack}.yaml"
    text = re.sub(r"size: \d+Gi", "size: 64Mi", file.read_text())
    file.write_text(text.replace("retentionSize: 8GB", "retentionSize: 48MB"))


def logins(machine: Machine) -> int:
    """How often somebody opened a connection to the machine's sshd and proved who they are, but for this question."""
    return int(machine.root("journalctl -u ssh --no-pager | grep -c 'Accepted publickey' || true"))
