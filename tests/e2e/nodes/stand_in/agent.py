"""`k3s agent`, and the agent's half of a server."""

from __future__ import annotations

from collections.abc import Mapping

from .api import Api, by_certificate, kubeconfig
from .children import Children
from .config import Settings, Trouble
from .joining import joined
from .node import carry_packets, node_name, start_containerd, start_kubelet, start_proxy
from .places import AGENT, write


def start(settings: Settings, children: Children) -> Api:
    """Join, and start the node; gives the API as kube-proxy sees it."""
    server = settings.text("server").rstrip("/")
    if not server:
        raise Trouble("--server is required")
    token = settings.secret("token")
    if not token:
        raise Trouble("--token is required")
    told = joined(server, token, node_name(settings))
    start_containerd(children)
    return start_node(children, settings, server, told)


def start_node(children: Children, settings: Settings, server: str, told: Mapping[str, str]) -> Api:
    """kubelet and kube-proxy, for a machine whose certificate is there."""
    trust = AGENT / "server-ca.crt"
    by_path = {"certificate-authority": str(trust)}
    write(AGENT / "kubelet.kubeconfig", kubeconfig(server, by_path, by_certificate(AGENT / "client-kubelet.crt")))
    write(AGENT / "kubeproxy.kubeconfig", kubeconfig(server, by_path, {"token": told["token"]}))
    carry_packets(told["cluster-cidr"])
    start_kubelet(children, settings, told["cluster-dns"])
    start_proxy(children, settings, told["cluster-cidr"])
    return Api(server, trust, token=told["token"])
