"""`./run verify` on real machines with real pods: of a healthy cluster it says yes, and of each thing broken on purpose what."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from fluxstead.cli.verify import systems_to_try
from fluxstead.hosts.kubeconfig import put_right
from fluxstead.live.api import LiveApi
from fluxstead.live.lease import unfinished
from fluxstead.live.procedure import Outcome, Step
from fluxstead.live.running import carried_out
from fluxstead.live.verify import whole
from fluxstead.live.verify.place import NAMESPACE
from fluxstead.live.verify.pods import IMAGE
from tests.e2e.cluster.api import Api, api_of
from tests.e2e.cluster.description import PROJECT

from .by_hand import ask, await_ready, start_k3s
from .fixtures import STAND_IN, Site, whole_site
from .images import shell_image_tar
from .packing import stand_in_binary
from .played import PLAYED, Dns, Provisioner, until
from .spawned import SpawnedMachine

pytestmark = pytest.mark.machine
VERSION = "v1.33.1+k3s1"
TOKEN = "a-token-of-these-tests"  # noqa: S105 -- of a cluster that lives for minutes
BUSYBOX = Path("/usr/bin/busybox")
STORAGE, NETWORK = ("class ",), ("every ", "a pod runs", "a Service", "the cluster's DNS")
PATIENT, TWICE = 15, 60
"""Seconds that a step may take which is broken on purpose; Services are asked twice, and each time waited for."""


class Tried:
    """Two machines that are a cluster, whoever plays what it lacks, and a description of it."""

    def __init__(self, site: Site) -> None:
        self.machines = site.machines(2)
        self.server, self.agent = self.machines
        binary = stand_in_binary(VERSION, site.home)
        image = shell_image_tar(IMAGE, BUSYBOX)
        for machine in self.machines:
            machine.put("/var/lib/rancher/k3s/agent/images/verify.tar", image)
        start_k3s(self.server, binary, "server", {"token": TOKEN, "node-ip": self.server.address})
        joins = {"token": TOKEN, "server": f"https://{self.server.address}:6443", "node-ip": self.agent.address}
        start_k3s(self.agent, binary, "agent", joins)
        await_ready(self.server, "k3s1", "k3s2")
        own = self.server.run("cat /etc/rancher/k3s/k3s.yaml")
        text = put_right(own, "home", f"https://{self.server.address}:6443")
        self.kubeconfig = site.home / "kubeconfig"
        self.kubeconfig.write_text(text)
        self.api: Api = api_of(yaml.safe_load(text))
        self.dns = Dns(self.api, site.network.address)
        self.storage = Provisioner(self.api, site.home / "shared")
        self.project = site.home / "project"
        self._describe()

    def _describe(self) -> None:
        (self.project / "nodes").mkdir(parents=True)
        (self.project / "Pulumi.yaml").write_text("name: home\nruntime: python\n")
        config = {
            "fluxstead:kubernetes": {"version": VERSION},
            "fluxstead:flux": {"version": "2.9.5"},
            "fluxstead:longhorn": {"version": "1.12.1", "replicas": 1, "ui": None},
        }
        (self.project / "Pulumi.home.yaml").write_text(yaml.safe_dump({"config": config}))
        for machine, role in zip(self.machines, ("server", "agent"), strict=True):
            said = {"cluster": "home", "address": machine.address, "role": role, "state": "live"}
            (self.project / f"nodes/{machine.name}.yaml").write_text(yaml.safe_dump(said))

    def command(self, *more: str) -> list[str]:
        """`./run verify`."""
        words = [sys.executable, "-m", "fluxstead.cli", "verify", "--project", str(self.project)]
        return [*words, "--kubeconfig", str(self.kubeconfig), *more]

    def verify(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(self.command(*more), cwd=PROJECT, capture_output=True, text=True, check=False)

    def outcomes(self, *without: str, deep: bool = False) -> dict[str, Outcome]:
        """The same, with less patience, and without what is not broken; by the names of its steps."""
        said: list[str] = []
        with LiveApi(str(self.kubeconfig)) as api:
            tries = whole.Tries(["k3s1", "k3s2"], systems_to_try(), deep=deep)
            procedure = whole.procedure(api, "verify", tries, said.append)

            def steps(notes: Mapping[str, str]) -> list[Step]:
                tried = [one for one in procedure.steps(notes) if not one.name.startswith(without)]
                return [one._replace(patience=min(one.patience, PATIENT if "class" in one.name else TWICE)) for one in tried]

            ended, _ = carried_out(api, procedure._replace(steps=steps), said.append, said.append)
        assert self.left == []
        return {one.step.name: one for one in ended}

    def wrong(self, *without: str, deep: bool = False) -> dict[str, str]:
        """The steps that did not end well, and what they say."""
        ended = self.outcomes(*without, deep=deep)
        return {name: one.standing.says for name, one in ended.items() if not one.well and not one.skipped}

    @property
    def left(self) -> list[str]:
        """What is left of it in the cluster."""
        spaces = [one["metadata"]["name"] for one in self.api.list("v1", "Namespace")]
        volumes = [one["metadata"]["name"] for one in self.api.list("v1", "PersistentVolume")]
        cordoned = [one["metadata"]["name"] for one in self.api.list("v1", "Node") if one["spec"].get("unschedulable")]
        return [*(name for name in spaces if name == NAMESPACE), *volumes, *cordoned, *self.storage.longhorn.left]


@pytest.fixture(scope="module")
def tried(need: Callable[..., object]) -> Iterator[Tried]:
    if not BUSYBOX.exists():
        pytest.skip("not installed: busybox-static")
    with whole_site(need) as site:
        made = Tried(site)
        try:
            yield made
        finally:
            made.storage.stop()
            made.dns.stop()


@contextmanager
def broken(machine: SpawnedMachine, *rule: str) -> Iterator[None]:
    """With a rule of the packet filter more."""
    words = " ".join(rule)
    machine.run(f"iptables -w {words.replace('CHAIN', '-I')}")
    try:
        yield
    finally:
        machine.run(f"iptables -w {words.replace('CHAIN', '-D')}")


def test_a_healthy_cluster_is_well_and_nothing_is_left(tried: Tried, record_property: Callable[[str, object], None]) -> None:
    """Also with what interrupts: an application moves, a copy is made again, a backup is restored."""
    record_property("k3s", STAND_IN)
    record_property("played", PLAYED)
    done = tried.verify("--deep", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = {one["name"]: one for one in json.loads(done.stdout)["steps"]}
    says = {name: one["says"] for name, one in steps.items()}
    assert says["every two machines reach each other"] == "4 of 4"
    assert says["class shared: its filesystem has grown"] == "2Gi"
    assert "stay on their machine" in says["class local: a pod on another machine reads what was written"]
    moved = "its machine is cordoned, and the application runs on another"
    assert says[f"class shared: {moved}"] in {"from k3s1 to k3s2", "from k3s2 to k3s1"}
    assert "stay on their machine" in says[f"class local: {moved}"]
    assert says["class longhorn: a copy is lost, and rebuilt"] == "2 copies again"
    assert says["class longhorn: the backup is restored, and reads as it was written"] == ""
    until(lambda: tried.left == [])
    record_property("verify --deep: two machines, three classes", f"{sum(one['seconds'] for one in steps.values()):.0f} s")


def test_a_link_that_loses_packets_and_a_dns_that_is_silent_are_both_named(tried: Tried) -> None:
    cidr = ask(tried.server, "get", "node", "k3s1")["spec"]["podCIDR"]
    tried.dns.answers = False
    try:
        with broken(tried.agent, "CHAIN FORWARD -d", cidr, "-p tcp --dport 8080 -j DROP"):
            wrong = tried.wrong(*STORAGE)
    finally:
        tried.dns.answers = True
    assert "from k3s2 to the pod on k3s1: nothing came" in wrong["every two machines reach each other"]
    assert "from k3s1 to the pod on k3s2" not in wrong["every two machines reach each other"]
    assert "from k3s1 to servers.fluxstead-verify.svc: nothing came" in wrong["the cluster's DNS answers on every machine"]


def test_services_that_are_not_reached_are_named_with_the_machine(tried: Tried) -> None:
    with broken(tried.agent, "-t raw CHAIN PREROUTING -d 10.43.0.0/16 -i cni0 -p tcp --dport 8080 -j DROP"):
        wrong = tried.wrong(*STORAGE)
    assert "from k3s2 to 10.43." in wrong["a Service is reached by its address from every machine"]
    assert "k3s1 to 10.43." not in wrong["a Service is reached by its address from every machine"]
    assert "every two machines reach each other" not in wrong


def test_storage_that_is_broken_in_five_ways_is_named_in_each(tried: Tried) -> None:
    """No volume of one class, another's data lost, and of the third no growth, no second copy and an empty backup."""
    storage, longhorn = tried.storage, tried.storage.longhorn
    storage.idle, storage.spoiling, storage.stuck = {"local"}, {"shared"}, {"longhorn"}
    longhorn.rebuilds = longhorn.keeps = False
    try:
        ended = tried.outcomes(*NETWORK, "class longhorn: its machine", deep=True)
    finally:
        storage.idle, storage.spoiling, storage.stuck = set(), set(), set()
        longhorn.rebuilds = longhorn.keeps = True
    wrong = {name: one.standing.says for name, one in ended.items() if not one.well and not one.skipped}
    assert "class local: a claim is bound, and written to" in wrong
    assert "content: FAILED" in wrong["class shared: another pod on the same machine reads what was written"]
    assert "nobody has made the volume larger" in wrong["class longhorn: the claim is asked to grow from 1Gi to 2Gi"]
    assert "is degraded" in wrong["class longhorn: a copy is lost, and rebuilt"]
    assert "content" in wrong["class longhorn: the backup is restored, and reads as it was written"]
    assert ended["class local: an application runs with it"].skipped
    assert ended["class longhorn: a snapshot is taken"].well


def test_a_machine_that_is_not_there_is_named_and_the_others_are_tried(tried: Tried) -> None:
    tried.agent.run("systemctl stop k3s-agent; pkill -f '[s]tand-in-v1' || true")
    try:
        until(lambda: _ready(tried, "k3s2") != "True")
        ended = tried.outcomes(*STORAGE)
    finally:
        tried.agent.run("systemctl start k3s-agent")
        await_ready(tried.server, "k3s1", "k3s2")
    assert ended["every machine is ready"].standing.says == "k3s2 is not"
    assert ended["every two machines reach each other"].standing.says == "1 of 1"


def _ready(tried: Tried, name: str) -> Any:
    conditions = ask(tried.server, "get", "node", name)["status"]["conditions"]
    return next(one["status"] for one in conditions if one["type"] == "Ready")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_cut_off_it_cleans_up_and_killed_the_next_one_does(tried: Tried, how: signal.Signals) -> None:
    process = subprocess.Popen(tried.command(), cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until(lambda: tried.api.list("v1", "PersistentVolume"))
    os.kill(process.pid, how)
    process.wait(240)
    if how is signal.SIGKILL:
        assert tried.left != []
        assert not tried.wrong(*STORAGE)
    assert tried.left == []
    with LiveApi(str(tried.kubeconfig)) as api:
        assert unfinished(api).words == "", "it is in nobody's way"


def test_an_api_that_goes_away_in_the_middle_is_waited_for(tried: Tried) -> None:
    process = subprocess.Popen(tried.command(), cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: tried.api.list("v1", "PersistentVolume"))
    tried.server.run("systemctl stop k3s")
    time.sleep(5)
    tried.server.run("systemctl start k3s")
    out, problems = process.communicate(timeout=400)
    assert "Traceback" not in problems, problems
    assert process.returncode == 0, out + problems
    assert "gives no answer" in out
    assert tried.left == []
