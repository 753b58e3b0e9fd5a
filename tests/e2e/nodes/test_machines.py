"""What other tests rely on: bare machines that can be prepared, and a server of releases that can be made to misbehave."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any, Literal

import pytest

from fluxstead.hosts.build import COMMAND, stdin_for
from tests.e2e.hosts.support import node

from .fixtures import Site
from .network import own_network
from .packing import stand_in_binary
from .releases import PAGE, Manner, serving_releases
from .spawned import SpawnedMachine

pytestmark = pytest.mark.machine

VERSION = "v1.33.1+k3s1"


def test_a_bare_machine_has_nothing_of_kubernetes_and_is_prepared(site: Site) -> None:
    (machine,) = site.machines(1)
    nothing = "! command -v k3s kubectl containerd runc crictl ctr; test ! -e /var/lib/rancher; test ! -e /etc/rancher"
    machine.run(nothing)
    assert {item["item"] for item in _prepared(machine, "apply") if item["state"] == "done"} >= {"modules", "journald", "k3s"}
    assert [item for item in _prepared(machine, "plan") if item["state"] != "fine"] == []


def test_a_server_of_releases_serves_the_file_and_what_networks_make_of_it(site: Site) -> None:
    (machine,) = site.machines(1)
    binary = stand_in_binary(VERSION, site.home / "releases")
    content = binary.read_bytes()
    with serving_releases(site.home / "releases", site.network, site.base) as releases:
        place = f"{releases.url}/{VERSION.replace('+', '%2B')}"
        fetch = f"curl -sS --fail --max-time 20 -o /root/k3s {place}"
        machine.run(f"{fetch}/k3s")
        assert machine.run("sha256sum /root/k3s").split()[0] == releases.digest(VERSION)
        assert machine.run(f"curl -sS {place}/sha256sum-amd64.txt") == f"{releases.digest(VERSION)}  k3s\n"
        manners: dict[Manner, tuple[int, str]] = {
            "html": (0, hashlib.sha256(PAGE).hexdigest()),
            "another": (0, hashlib.sha256(content + b"\0").hexdigest()),
            "cut": (18, hashlib.sha256(content[: len(content) // 2]).hexdigest()),
            "missing": (22, ""),
        }
        for manner, (status, digest) in manners.items():
            releases.manner = manner
            machine.run("rm -f /root/k3s")
            assert machine.try_to(f"{fetch}/k3s").returncode == status
            assert machine.try_to("sha256sum /root/k3s").stdout.split()[:1] == ([digest] if digest else [])


def test_the_test_is_in_a_network_of_its_own_and_comes_back() -> None:
    before = Path("/proc/thread-self/ns/net").readlink()
    with own_network() as network:
        assert Path("/proc/thread-self/ns/net").readlink() != before
        assert network.address in subprocess.run(["ip", "address"], capture_output=True, text=True, check=True).stdout
    assert Path("/proc/thread-self/ns/net").readlink() == before


def _prepared(machine: SpawnedMachine, mode: Literal["plan", "apply"]) -> list[dict[str, Any]]:
    """What the preparation says of everything beside disks."""
    done = machine.try_to(COMMAND, stdin_for(mode, node(node=machine.name, address=machine.address)))
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
    items: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])["result"]["system"]
    return items
