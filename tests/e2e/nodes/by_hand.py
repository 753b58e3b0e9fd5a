"""k3s put on a machine as a person does it without its installer; what the preparation does is tested against the same machine."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .spawned import SpawnedMachine

CONFIG = "/etc/rancher/k3s/config.yaml"
READY_SECONDS = 180
UNIT = """[Unit]
Description=Lightweight Kubernetes
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/k3s {role}

[Install]
WantedBy=multi-user.target
"""
"""As k3s's install.sh writes it."""


def unit_of(role: str) -> str:
    """The name of the unit."""
    return "k3s" if role == "server" else "k3s-agent"


def put_k3s(machine: SpawnedMachine, binary: Path, role: str, config: Mapping[str, object]) -> None:
    """Binary, configuration and unit, enabled and not started."""
    machine.put("/usr/local/bin/k3s", binary.read_bytes(), 0o755)
    machine.put(CONFIG, json.dumps(config).encode(), 0o600)
    machine.put(f"/etc/systemd/system/{unit_of(role)}.service", UNIT.format(role=role).encode())
    machine.run(f"systemctl daemon-reload; systemctl enable -q {unit_of(role)}")


def start_k3s(machine: SpawnedMachine, binary: Path, role: str, config: Mapping[str, object]) -> None:
    """The same, and wait until it says that it runs."""
    put_k3s(machine, binary, role, config)
    machine.run(f"systemctl start {unit_of(role)} || {{ journalctl -u {unit_of(role)} --no-pager -n 40 >&2; exit 1; }}")


def log_of(machine: SpawnedMachine, role: str) -> str:
    """What it wrote to the journal since this boot."""
    return machine.run(f"journalctl -b -u {unit_of(role)} --no-pager -o cat")


def ask(server: SpawnedMachine, *words: str) -> Any:
    """What `k3s kubectl … -o json` on a server answers."""
    return json.loads(server.run(f"k3s kubectl {' '.join(words)} -o json"))


def await_ready(server: SpawnedMachine, *names: str, seconds: float = READY_SECONDS) -> dict[str, Any]:
    """The nodes by name, once these are Ready."""
    end = time.monotonic() + seconds
    while True:
        done = server.try_to("k3s kubectl get nodes -o json")
        nodes = {one["metadata"]["name"]: one for one in json.loads(done.stdout)["items"]} if not done.returncode else {}
        if all(name in nodes and _is(nodes[name], "Ready") for name in names):
            return nodes
        if time.monotonic() > end:
            raise AssertionError(f"not Ready after {seconds:.0f} s: {', '.join(names)}; {done.stderr}")
        time.sleep(0.5)


def run_pod(server: SpawnedMachine, name: str, node: str, image: str, port: int) -> str:
    """Run the tests' program on this node; its address, once it is Ready."""
    container = {"name": "app", "image": image, "env": [{"name": "PORT", "value": str(port)}], "imagePullPolicy": "Never"}
    spec = {"nodeName": node, "terminationGracePeriodSeconds": 1, "containers": [container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}
    server.run("k3s kubectl apply -f -", json.dumps(pod))
    wait = f"k3s kubectl wait --for=condition=Ready pod/{name} --timeout=90s"
    server.run(f"{wait} || {{ k3s kubectl describe pod {name} >&2; exit 1; }}")
    return str(ask(server, "get", "pod", name)["status"]["podIP"])


def _is(obj: Mapping[str, Any], kind: str) -> bool:
    found = {one["type"]: one["status"] for one in obj["status"].get("conditions", ())}
    return found.get(kind) == "True"
