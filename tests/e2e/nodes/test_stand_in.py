"""The stand-in for k3s on real Debian machines: a cluster of two, what it refuses, what is left after the power is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .by_hand import ask, await_ready, log_of, put_k3s, run_pod, start_k3s
from .fixtures import STAND_IN, Site
from .images import image_tar
from .packing import stand_in_binary
from .spawned import SpawnedMachine

pytestmark = pytest.mark.machine

VERSION = "v1.33.1+k3s1"
IMAGE = "registry.example.test/web:1"
PORT = 8080
FIRST = {"cluster-cidr": "10.52.0.0/16", "service-cidr": "10.53.0.0/16", "tls-san": ["api.example.test"], "disable": ["traefik"]}
MIB = 1024 * 1024

Record = Callable[[str, object], None]


def test_two_machines_become_a_cluster_that_survives_a_power_cut(site: Site, record_property: Record) -> None:
    began = time.monotonic()

    def told(what: str) -> None:
        nonlocal began
        record_property(f"nodes: {what}", f"{time.monotonic() - began:.1f} s")
        began = time.monotonic()

    first, second = site.machines(2)
    told("two machines booted")
    binary = stand_in_binary(VERSION, site.home)
    start_k3s(first, binary, "server", {**FIRST, "node-label": ["storage=longhorn"], "nonsense": True})
    await_ready(first, "k3s1")
    told("first server Ready")
    log = log_of(first, "server")
    assert STAND_IN in log
    assert "Unknown flag --nonsense found in config.yaml, skipping" in log
    assert "k3s server" in first.run("ps -eo args")
    assert first.run("k3s --version").startswith(f"k3s version {VERSION} ")

    _refuses_bad_tokens(first, second, binary)
    began = time.monotonic()
    second.put("/var/lib/rancher/k3s/agent/images/web.tar", image_tar([IMAGE]))
    start_k3s(second, binary, "agent", _joining(first, _token(first, "2h")))
    nodes = await_ready(first, "k3s1", "k3s2")
    told("second machine joined and Ready")
    assert nodes["k3s1"]["metadata"]["labels"]["storage"] == "longhorn"
    assert nodes["k3s2"]["status"]["nodeInfo"]["kubeletVersion"] == VERSION
    assert {node["spec"]["podCIDR"] for node in nodes.values()} == {"10.52.0.0/24", "10.52.1.0/24"}

    address = run_pod(first, "web", "k3s2", IMAGE, PORT)
    told("pod Ready")
    assert first.run(f"curl -sS --max-time 10 http://{address}:{PORT}") == "web\n"
    first.run(f"k3s kubectl expose pod web --port=80 --target-port={PORT}")
    service = ask(first, "get", "service", "web")["spec"]["clusterIP"]
    assert first.run(f"curl -sS --max-time 10 --retry 10 --retry-connrefused http://{service}") == "web\n"
    for machine in (first, second):
        record_property(f"nodes: memory of {machine.name}", f"{machine.memory() // MIB} MiB")

    began = time.monotonic()
    first.power_cut()
    second.power_off()
    first.start()
    second.boot()
    first.await_boot()
    await_ready(first, "k3s1", "k3s2")
    first.run("k3s kubectl wait --for=condition=Ready pod/web --timeout=90s")
    told("both off and on again, pod Ready")


def test_further_servers_join_etcd_by_the_server_token(site: Site, record_property: Record) -> None:
    first, second = site.machines(2)
    binary = stand_in_binary(VERSION, site.home)
    start_k3s(first, binary, "server", {**FIRST, "cluster-init": True, "secrets-encryption": True})
    token = first.run("cat /var/lib/rancher/k3s/server/token").strip()
    url = f"https://{first.address}:6443"

    put_k3s(second, binary, "server", {**FIRST, "server": url, "token": f"{token}x"})
    second.run("systemctl start --no-block k3s")
    _await_log(second, "server", "401 Unauthorized")
    second.run("systemctl stop k3s")

    began = time.monotonic()
    start_k3s(second, binary, "server", {**FIRST, "server": url, "token": token})
    nodes = await_ready(second, "k3s1", "k3s2")
    record_property("nodes: second server joined and Ready", f"{time.monotonic() - began:.1f} s")
    assert all("node-role.kubernetes.io/etcd" in node["metadata"]["labels"] for node in nodes.values())
    first.run("k3s kubectl create configmap from-the-first")
    assert ask(second, "get", "configmap", "from-the-first")["metadata"]["name"] == "from-the-first"


def _refuses_bad_tokens(server: SpawnedMachine, machine: SpawnedMachine, binary: Path) -> None:
    """One that names another authority, one that nobody made, one that is over: each is said, and no node appears."""
    good, over = _token(server, "2h"), _token(server, "1s")
    digest, _, secret = good.removeprefix("K10").partition("::")
    time.sleep(1.5)
    for token, said in (
        (f"K10{'0' * len(digest)}::{secret}", "token CA hash does not match the Cluster CA certificate hash"),
        (f"K10{digest}::abcdef.0123456789abcdef", "401 Unauthorized"),
        (over, "401 Unauthorized"),
        (f"K10{digest}::node:wrong", "401 Unauthorized"),
    ):
        machine.run("journalctl --rotate -q; journalctl -q --vacuum-time=1s")
        put_k3s(machine, binary, "agent", _joining(server, token))
        machine.run("systemctl start --no-block k3s-agent")
        _await_log(machine, "agent", said)
        assert machine.try_to("systemctl is-active k3s-agent").stdout.strip() == "activating"
        machine.run("systemctl stop k3s-agent")
    assert [node["metadata"]["name"] for node in ask(server, "get", "nodes")["items"]] == ["k3s1"]


def _token(server: SpawnedMachine, ttl: str) -> str:
    return server.run(f"k3s token create --ttl {ttl}").strip()


def _joining(server: SpawnedMachine, token: str) -> dict[str, object]:
    return {"server": f"https://{server.address}:6443", "token": token}


def _await_log(machine: SpawnedMachine, role: str, text: str) -> None:
    end = time.monotonic() + 60
    while text not in (log := log_of(machine, role)):
        assert time.monotonic() < end, log
        time.sleep(0.5)
