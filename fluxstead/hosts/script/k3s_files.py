"""The files by which k3s is begun: their places, and their texts as a function of what is told."""

from __future__ import annotations

import json
import os
from typing import Any, Dict

from fluxstead.hosts.script.files import RECORDS
from fluxstead.hosts.script.k3s_model import ToldK3s
from fluxstead.hosts.script.model import HEAD

K3S = "/usr/local/bin/k3s"
K3S_SENT = "/usr/local/bin/.k3s.fluxstead"
"""Where the operator sends the binary, and where a download goes: in the folder of its target, which a rename needs."""
K3S_LINKS = ("kubectl", "crictl", "ctr")
K3S_HOME = "/var/lib/rancher/k3s"
K3S_IMAGES = f"{K3S_HOME}/agent/images"
K3S_ETC = "/etc/rancher/k3s"
K3S_TOKEN = f"{K3S_ETC}/fluxstead-token"
K3S_CLUSTER_FILE = f"{K3S_ETC}/config.yaml.d/40-fluxstead.yaml"
K3S_REGISTRIES = f"{K3S_ETC}/registries.yaml"
K3S_KUBECONFIG = f"{K3S_ETC}/k3s.yaml"
K3S_UNIT_FOLDER = "/etc/systemd/system"
K3S_RECORD = os.path.join(RECORDS, "k3s.json")
BIRTH = ("cluster-cidr", "service-cidr", "secrets-encryption", "flannel-backend", "cluster-domain")
"""What a cluster keeps from its first start on, whatever its configuration says later."""
PROXY = ("http_proxy", "https_proxy", "no_proxy")
UNIT = """[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type={type}
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-{file}.env
KillMode=process
Delegate=yes
User=root
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart={binary} {role}
"""
"""As k3s's own installer writes it (k3s: install.sh, `create_systemd_service_file`)."""


def unit_file(told: ToldK3s) -> str:
    """The path of the unit file."""
    return f"{K3S_UNIT_FOLDER}/{told.unit}.service"


def unit_text(told: ToldK3s) -> str:
    """The unit, without any value of the description but the role."""
    kind = "notify" if told.role == "server" else "exec"
    return HEAD + UNIT.format(type=kind, file=unit_file(told), binary=K3S, role=told.role)


def cluster_text(told: ToldK3s) -> str:
    """k3s's configuration of the cluster: what is told, in its order, then how this node begins."""
    config: Dict[str, Any] = {**told.config, "token-file": K3S_TOKEN}
    if told.begin == "join":
        config["server"] = told.server
    elif told.begin == "first" and told.datastore == "etcd":
        config["cluster-init"] = True
    return HEAD + "".join(_entry(key, value) for key, value in config.items())


def _entry(key: str, value: Any) -> str:
    if isinstance(value, list):
        return f"{key}:\n" + "".join(f"  - {_quoted(one)}\n" for one in value) if value else f"{key}: []\n"
    return f"{key}: {_quoted(value)}\n"


def _quoted(value: Any) -> str:
    # YAML has no pairs of surrogates, by which JSON escapes; all that is here is printable.
    return json.dumps(value, ensure_ascii=False)


def registries_text(told: ToldK3s) -> str:
    """Mirrors of registries, as k3s reads them."""
    lines = ["mirrors:" if told.registries else "mirrors: {}"]
    for name, ends in told.registries.items():
        lines += [f"  {_quoted(name)}:", "    endpoint:" if ends else "    endpoint: []"]
        lines += [f"      - {_quoted(end)}" for end in ends]
    return HEAD + "\n".join(lines) + "\n"


def proxies_text() -> str:
    """The login's proxies, by which k3s gets images, as its own installer keeps them (`create_env_file`); empty without any."""
    found = {name: value for name, value in os.environ.items() if name.lower() in PROXY and value and value.isprintable()}
    return "".join(f"{name}={value}\n" for name, value in sorted(found.items()))


def birth_of(told: ToldK3s) -> Dict[str, str]:
    """What is decided once in a cluster's life, in a form that can be kept."""
    return {key: json.dumps(told.config[key]) for key in BIRTH if key in told.config}


def sent_image(name: str) -> str:
    """Where the operator sends an archive: beside its target, under a name that k3s takes nothing from."""
    return f"{K3S_IMAGES}/.{name}.fluxstead"
