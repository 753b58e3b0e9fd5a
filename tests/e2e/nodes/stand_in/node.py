"""What runs on every machine: containerd, the kubelet, kube-proxy, and the network in flannel's place."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from .api import Api, Refused
from .children import Children, say
from .config import Settings, Trouble
from .images import import_all
from .places import AGENT, CONTAINERD, PROGRAMS, write
from .version import BUILT_AS, VERSION

PAUSE = "docker.io/rancher/mirrored-pause:3.6"
NETWORKS = AGENT / "etc/cni/net.d"
DROP_INS = AGENT / "etc/kubelet.conf.d"
# Without CAP_SYS_RESOURCE, which a container does not have, runc cannot lower its own score.
CONTAINERD_CONFIG = f"""version = 2
root = "{AGENT / "containerd"}"
state = "/run/k3s/containerd/state"
[grpc]
  address = "{CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{PROGRAMS / "cni"}"
    conf_dir = "{NETWORKS}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{PROGRAMS / "runc"}"
      SystemdCgroup = false
"""


def node_name(settings: Settings) -> str:
    """As it registers."""
    return settings.text("node-name", socket.gethostname().lower())


def addresses(settings: Settings) -> list[str]:
    """The node's addresses; without `node-ip` the one by which it goes out. Raises Trouble where there is no way out."""
    described = settings.listed("node-ip")
    if described:
        return described
    routes = json.loads(_ip("-j", "route", "show", "default") or "[]")
    if not routes:
        raise Trouble("failed to find node-ip: unable to select an IP from default routes.")
    found = json.loads(_ip("-j", "route", "get", routes[0]["gateway"]))
    return [str(found[0]["prefsrc"])]


def start_containerd(children: Children) -> None:
    """containerd, with the images that lie in k3s's folder for them, and the sandbox's."""
    file = write(AGENT / "etc/containerd/config.toml", CONTAINERD_CONFIG, 0o644)
    CONTAINERD.parent.mkdir(parents=True, exist_ok=True)
    CONTAINERD.unlink(missing_ok=True)
    children.start("containerd", ["--config", file])
    children.wait("containerd", CONTAINERD.is_socket)
    import_all([PROGRAMS / "pause.tar", *sorted((AGENT / "images").glob("*"))])


def start_kubelet(children: Children, settings: Settings, cluster_dns: str) -> None:
    """The kubelet, as `agent/kubelet.kubeconfig`; that file has to be there."""
    write(DROP_INS / "00-k3s-defaults.conf", json.dumps(_kubelet(cluster_dns)), 0o644)
    labels = [*settings.listed("node-label"), "node.kubernetes.io/instance-type=k3s"]
    arguments = [
        f"--kubeconfig={AGENT / 'kubelet.kubeconfig'}",
        f"--config-dir={DROP_INS}",
        f"--hostname-override={node_name(settings)}",
        f"--node-ip={','.join(addresses(settings))}",
        f"--node-labels={','.join(labels)}",
        f"--register-with-taints={','.join(settings.listed('node-taint'))}",
        *(f"--{argument}" for argument in settings.listed("kubelet-arg")),
    ]
    children.start("kubelet", arguments, str(_kubelet_of_this_version()))


def _kubelet_of_this_version() -> Path:
    """A kubelet that says of itself which k3s it is, as k3s's does. Its own version is a text of as many letters."""
    made = AGENT.parent / "data" / f"stand-in-{VERSION}" / "kubelet"
    if not made.exists():
        program = (PROGRAMS / "kubelet").read_bytes()
        made.parent.mkdir(parents=True, exist_ok=True)
        part = made.with_name(".kubelet.part")
        part.write_bytes(program.replace(BUILT_AS.encode(), VERSION.encode()))
        part.chmod(0o755)
        part.replace(made)
    return made


def _kubelet(cluster_dns: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(AGENT / "client-ca.crt")}},
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [cluster_dns],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "serializeImagePulls": False,
        # All images come from archives, none can be pulled again, and the disk is filled by others as well.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "shutdownGracePeriod": "0s",
    }


def start_proxy(children: Children, settings: Settings, cluster_cidr: str) -> None:
    """kube-proxy, as `agent/kubeproxy.kubeconfig`."""
    proxy = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(AGENT / "kubeproxy.kubeconfig")},
        "clusterCIDR": cluster_cidr,
        "hostnameOverride": node_name(settings),
        "mode": "iptables",
        "conntrack": {"maxPerCore": 0, "min": 0},  # not a container's to set
    }
    file = write(AGENT / "etc/kube-proxy.json", json.dumps(proxy), 0o644)
    arguments = [f"--{argument}" for argument in settings.listed("kube-proxy-arg")]
    children.start("kube-proxy", [f"--config={file}", *arguments])


def carry_packets(cluster_cidr: str) -> None:
    """What leaves the cluster leaves as the node."""
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    for network in cluster_cidr.split(","):
        program = "ip6tables" if ":" in network else "iptables"
        rule = ["POSTROUTING", "-s", network, "!", "-d", network, "-j", "MASQUERADE"]
        if subprocess.run([program, "-w", "-t", "nat", "-C", *rule], capture_output=True, check=False).returncode:
            subprocess.run([program, "-w", "-t", "nat", "-A", *rule], capture_output=True, check=False)


class Network:
    """A bridge for this node's pods, and routes to the pods of the others, as the API server tells them."""

    def __init__(self, api: Api, name: str) -> None:
        self._api = api
        self._name = name

    def follow(self) -> None:
        """Bring bridge and routes to what the nodes are now. A server that does not answer leaves them as they are."""
        try:
            nodes = self._api.ask("/api/v1/nodes")["items"]
        except (OSError, Refused):
            return
        for node in nodes:
            networks = node["spec"].get("podCIDRs", [])
            if node["metadata"]["name"] == self._name:
                self._write_bridge(networks)
                continue
            there = [one["address"] for one in node["status"].get("addresses", ()) if one["type"] == "InternalIP"]
            for network in networks:
                for address in there:
                    if (":" in network) == (":" in address):
                        _ip("route", "replace", network, "via", address)

    def _write_bridge(self, networks: list[str]) -> None:
        file = NETWORKS / "10-stand-in.conflist"
        ranges = [[{"subnet": network}] for network in networks]
        routes = [{"dst": "::/0" if ":" in network else "0.0.0.0/0"} for network in networks]
        bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True}
        addressing = {"type": "host-local", "ranges": ranges, "routes": routes, "dataDir": "/var/lib/cni/networks"}
        plugins = [{**bridge, "ipam": addressing}, {"type": "portmap", "capabilities": {"portMappings": True}}]
        text = json.dumps({"cniVersion": "1.0.0", "name": "cbr0", "plugins": plugins})
        if networks and not (file.exists() and file.read_text() == text):
            write(file, text, 0o644)
            say(f"pods of this node: {', '.join(networks)}")


def _ip(*words: str) -> str:
    done = subprocess.run([shutil.which("ip") or "/sbin/ip", *words], capture_output=True, text=True, check=False)
    return done.stdout
