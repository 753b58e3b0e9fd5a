"""What the first server puts into the API, so that machines can join by a token: the supervisor's part."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from .api import kubeconfig
from .places import TLS

RBAC = "/apis/rbac.authorization.k8s.io/v1"
BOOTSTRAPPERS, NODES = "system:bootstrappers", "system:nodes"
ANONYMOUS = {"kind": "User", "name": "system:anonymous", "apiGroup": "rbac.authorization.k8s.io"}
PROXY = "k3s-stand-in-proxy"
FOR_SERVERS = "k3s-stand-in-servers"
Object = tuple[str, dict[str, Any]]


def objects(server: str, told: Mapping[str, str]) -> list[Object]:
    """Path and body of each; `told` is what nodes read beside kube-proxy's token."""
    account = {"kind": "ServiceAccount", "name": PROXY, "namespace": "kube-system"}
    return [
        _cluster_info(server),
        *_readable("kube-public", "configmaps", "cluster-info", [ANONYMOUS]),
        _bound("create-csrs", "system:node-bootstrapper", [_group(BOOTSTRAPPERS)]),
        _bound("approve-csrs", _approval("nodeclient"), [_group(BOOTSTRAPPERS)]),
        _bound("approve-renewals", _approval("selfnodeclient"), [_group(NODES)]),
        ("/api/v1/namespaces/kube-system/serviceaccounts", {"metadata": {"name": PROXY}}),
        _bound("proxy", "system:node-proxier", [account]),
        _secret(PROXY, told, "kubernetes.io/service-account-token", {"kubernetes.io/service-account.name": PROXY}),
        *_readable("kube-system", "secrets", PROXY, [_group(BOOTSTRAPPERS), _group(NODES)]),
    ]


def for_servers(files: Mapping[str, str]) -> Object:
    """What a further server begins with, readable by the holder of the server token alone."""
    return _secret(FOR_SERVERS, files, "Opaque", {})


def _cluster_info(server: str) -> Object:
    authority = base64.b64encode((TLS / "server-ca.crt").read_bytes()).decode()
    text = kubeconfig(server, {"certificate-authority-data": authority}, {})
    return ("/api/v1/namespaces/kube-public/configmaps", {"metadata": {"name": "cluster-info"}, "data": {"kubeconfig": text}})


def _secret(name: str, data: Mapping[str, str], kind: str, annotations: Mapping[str, str]) -> Object:
    metadata = {"name": name, "annotations": dict(annotations)}
    return ("/api/v1/namespaces/kube-system/secrets", {"metadata": metadata, "type": kind, "stringData": dict(data)})


def _readable(namespace: str, resource: str, name: str, by: list[dict[str, str]]) -> list[Object]:
    metadata = {"name": f"k3s-stand-in-{name}", "namespace": namespace}
    rule = {"apiGroups": [""], "resources": [resource], "resourceNames": [name], "verbs": ["get"]}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": metadata["name"]}
    below = f"{RBAC}/namespaces/{namespace}"
    return [
        (f"{below}/roles", {"metadata": metadata, "rules": [rule]}),
        (f"{below}/rolebindings", {"metadata": metadata, "subjects": by, "roleRef": reference}),
    ]


def _bound(name: str, role: str, to: list[dict[str, str]]) -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return (f"{RBAC}/clusterrolebindings", {"metadata": {"name": f"k3s-stand-in-{name}"}, "subjects": to, "roleRef": reference})


def _approval(kind: str) -> str:
    return f"system:certificates.k8s.io:certificatesigningrequests:{kind}"


def _group(name: str) -> dict[str, str]:
    return {"kind": "Group", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
