"""A network namespace of the test's own, with a bridge, on which its machines are.

Linux gives each thread its network namespace. The test's thread enters a new one and so does all that it starts from then on: its
sockets, its threads, ssh, `./run`, the Pulumi engine with its plugins, the machines. Nothing else reaches them, they reach nothing
else, addresses are free to choose, and the namespace with all in it ends with the last process in it, however that ends.
What needs the world (building tools) comes before.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface

CLONE_NEWNET = 0x40000000
BRIDGE = "br0"
FIRST_MACHINE = 10
"""Machine number one's place in the network; the bridge has the first."""


@dataclass(frozen=True)
class OwnNetwork:
    """The test's own address on its bridge, by which its machines reach it, and theirs."""

    gateway: IPv4Interface

    @property
    def address(self) -> str:
        """The test's own; whoever serves machines listens here."""
        return str(self.gateway.ip)

    def machine(self, number: int) -> IPv4Interface:
        """The address of machine `number`, from one on."""
        return IPv4Interface(f"{self.gateway.network[FIRST_MACHINE + number]}/{self.gateway.network.prefixlen}")


@contextmanager
def own_network(gateway: str = "10.87.0.1/24") -> Iterator[OwnNetwork]:
    """Let this thread be in a network of its own. Enter and leave in the thread that runs the tests."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before:  # noqa: PTH123 -- its descriptor is what is needed
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "no network namespace could be made")
        try:
            for words in (
                "link set lo up",
                f"link add {BRIDGE} type bridge",
                f"address add {gateway} dev {BRIDGE}",
                f"link set {BRIDGE} up",
            ):
                subprocess.run(["ip", *words.split()], check=True, env={"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
            yield OwnNetwork(IPv4Interface(gateway))
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)
