"""k3s brought to real Debian machines by the host script, over the operator's ssh: what begins, what joins, what is left alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fluxstead.hosts.answer import K3sAnswer
from fluxstead.hosts.install import Installer, NotInstalledError
from fluxstead.hosts.k3s import Release, told
from fluxstead.hosts.kubeconfig import fetched
from fluxstead.hosts.ssh import Errand, ask_node
from fluxstead.nodes.model import Node

from .by_hand import await_ready
from .fixtures import STAND_IN, Site
from .packing import stand_in_binary
from .releases import Manner, Releases, serving_releases
from .spawned import SpawnedMachine

pytestmark = pytest.mark.machine
VERSION = "v1.33.1+k3s1"
TOKEN = "the-token-of-the-servers"  # noqa: S105 -- of these tests
CONFIG = {"cluster-cidr": "10.52.0.0/16", "service-cidr": "10.53.0.0/16", "disable": ["traefik"]}
Record = Callable[[str, object], None]


class Cluster:
    """Bare machines, and what an operator would describe of them."""

    def __init__(self, site: Site, releases: Releases, roles: tuple[str, ...]) -> None:
        self.releases = releases
        self.machines = {machine.name: machine for machine in site.machines(len(roles))}
        self.nodes = {name: node_of(machine, role) for (name, machine), role in zip(self.machines.items(), roles, strict=True)}
        self.said: list[str] = []
        self.datastore = "etcd" if roles.count("server") > 1 else "sqlite"
        for node in self.nodes.values():
            prepared = ask_node(node, site.home, Errand("apply"))
            assert prepared.status == "fine", prepared.why

    def bring(self, name: str, say: Callable[[str], None] | None = None, **changes: Any) -> K3sAnswer:
        """As `pulumi up` does it."""
        servers = [node for node in self.nodes.values() if node.role == "server"]
        release = Release(VERSION, {"amd64": self.releases.digest(VERSION)}, self.releases.url)
        node = self.nodes[name]
        data = {**told(node, release, self.datastore, CONFIG if node.role == "server" else {}, {}), **changes}
        return Installer(Path(), servers, "", lambda: TOKEN, say or self.said.append).bring(node, data)


def node_of(machine: SpawnedMachine, role: str) -> Node:
    """The machine as it would be described."""
    ssh = {"user": machine.user, "hostKey": machine.host_key, "privateKeyFile": str(machine.key)}
    return Node.model_validate(
        {"name": machine.name, "cluster": "c", "address": machine.address, "role": role, "state": "live", "ssh": ssh}
    )


Bare = Callable[..., Cluster]


@pytest.fixture
def bare(site: Site, record_property: Record) -> Iterator[Bare]:
    """Make a cluster of so many bare machines."""
    record_property("k3s", STAND_IN)
    folder = site.home / "releases"
    (folder / VERSION).mkdir(parents=True)
    os.link(stand_in_binary(VERSION, site.home), folder / VERSION / "k3s")
    with serving_releases(folder, site.network, site.base) as releases:
        yield lambda *roles: Cluster(site, releases, roles)


def units(cluster: Cluster) -> dict[str, str]:
    """What tells a restart: each machine's k3s by its process, and how often systemd started it again."""
    return {name: machine.run("systemctl show -p MainPID,NRestarts k3s k3s-agent") for name, machine in cluster.machines.items()}


def configured(machine: SpawnedMachine) -> str:
    """Every file of k3s's configuration, with its digest."""
    return machine.run("find /etc/rancher /etc/systemd/system/k3s* -type f | sort | xargs sha256sum")


def test_a_server_begins_and_an_agent_joins_and_both_are_then_left_alone(bare: Bare, record_property: Record) -> None:
    """Whatever is described later: a version, a network and a part that are not what runs are said, and nothing is restarted."""
    cluster = bare("server", "agent")
    began = time.monotonic()
    first = cluster.bring("k3s1")
    record_property("joining: first server", f"{time.monotonic() - began:.1f} s")
    assert (first.state, first.running, first.ready) == ("running", VERSION, True)
    began = time.monotonic()
    cluster.bring("k3s2")
    record_property("joining: agent", f"{time.monotonic() - began:.1f} s")
    await_ready(cluster.machines["k3s1"], "k3s1", "k3s2")

    before, files = units(cluster), [configured(machine) for machine in cluster.machines.values()]
    began = time.monotonic()
    assert [cluster.bring(name).differs for name in cluster.nodes] == [(), ()]
    record_property("joining: both looked at", f"{time.monotonic() - began:.1f} s")
    later = cluster.bring("k3s1", version="v1.34.1+k3s1", config={**CONFIG, "disable": ["traefik", "servicelb"]})
    assert any("v1.34.1+k3s1" in line for line in later.differs)
    assert any("disable" in line for line in later.differs)
    with pytest.raises(NotInstalledError, match="cluster-cidr"):
        cluster.bring("k3s1", config={**CONFIG, "cluster-cidr": "10.99.0.0/16"})
    assert units(cluster) == before
    assert [configured(machine) for machine in cluster.machines.values()] == files

    kubeconfig = fetched([cluster.nodes["k3s1"]], Path(), "home", f"https://{cluster.machines['k3s1'].address}:6443")
    assert "current-context: home" in kubeconfig
    assert TOKEN not in cluster.machines["k3s2"].run("cat /etc/rancher/k3s/fluxstead-token; ps axww; journalctl --no-pager")
    assert TOKEN not in cluster.machines["k3s1"].run("ps axww; systemctl cat k3s; journalctl --no-pager")


def test_what_is_not_the_described_binary_is_not_begun(bare: Bare) -> None:
    """A page to sign in, another release, a download that broke, one that is not there: in words, and the next run ends it."""
    cluster = bare("server")
    machine = cluster.machines["k3s1"]
    manners: dict[Manner, str] = {
        "html": "HTML instead of a binary",
        "another": "SHA-256",
        "cut": "was cut off after",
        "missing": "404",
    }
    for manner, said in manners.items():
        cluster.releases.manner = manner
        with pytest.raises(NotInstalledError, match=said):
            cluster.bring("k3s1")
        assert machine.try_to("ls /usr/local/bin/k3s").returncode, manner
        assert not machine.run("find /usr/local/bin -perm /111 -name '*k3s*'"), manner
    cluster.releases.manner = "whole"
    assert cluster.bring("k3s1").ready


def test_the_power_goes_at_any_moment_and_the_same_run_ends_it(bare: Bare) -> None:
    """Of the machine that begins, then of the one that joins; the last time, right before it is Ready."""
    cluster = bare("server", "agent")
    for name in ("k3s1", "k3s2"):
        machine = cluster.machines[name]
        for step in ("binary", "configuration", "unit", "start"):
            _cut_after(cluster, machine, f"k3s {step}")
            machine.boot()
        assert cluster.bring(name).ready
    await_ready(cluster.machines["k3s1"], "k3s1", "k3s2")


def _cut_after(cluster: Cluster, machine: SpawnedMachine, step: str) -> None:
    """Bring k3s to the machine, whose power goes as soon as this step is told of."""

    def cut(line: str) -> None:
        if step in line:
            machine.power_cut()

    with suppress(NotInstalledError):
        cluster.bring(machine.name, say=cut)


def test_three_servers_keep_the_cluster_together_and_one_that_lost_its_data_asks(bare: Bare, record_property: Record) -> None:
    cluster = bare("server", "server", "server")
    for name in cluster.nodes:
        began = time.monotonic()
        cluster.bring(name)
        record_property(f"joining: server {name}", f"{time.monotonic() - began:.1f} s")
    await_ready(cluster.machines["k3s1"], *cluster.nodes)
    members = cluster.machines["k3s2"].run("k3s kubectl get nodes -o name").split()
    assert members == ["node/k3s1", "node/k3s2", "node/k3s3"]
    first = cluster.machines["k3s1"]
    first.run(
        "systemctl disable --now k3s; rm -rf /var/lib/rancher /etc/rancher /etc/systemd/system/k3s.service; systemctl daemon-reload"
    )
    with pytest.raises(NotInstalledError, match=r"rejoin: true in nodes/k3s1\.yaml"):
        cluster.bring("k3s1")
    assert first.try_to("ls /var/lib/rancher/k3s/server").returncode
