"""Objects as a tree holds them, and what the schemas say of them."""

from __future__ import annotations

import copy
from typing import Any

from fluxstead.catalog.schemas import Schemas
from fluxstead.core.version import Version

REFERENCE = Schemas(kubernetes=Version("v1.33.1+k3s1"), flux=Version("2.6.1"), longhorn=Version("1.9.0"))
NEWEST = Schemas(kubernetes=Version("v1.36.3+k3s1"), flux=Version("2.9.5"), longhorn=Version("1.12.1"))


def thing(api_version: str, kind: str, **rest: Any) -> dict[str, Any]:
    """An object with a name."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "y"}, **rest}


KUSTOMIZATION = thing(
    "kustomize.toolkit.fluxcd.io/v1",
    "Kustomization",
    spec={
        "interval": "1h30m",
        "prune": True,
        "path": "./generated",
        "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
        "dependsOn": [{"name": "longhorn"}],
        "healthCheckExprs": [{"apiVersion": "longhorn.io/v1beta2", "kind": "Node", "current": "true"}],
    },
)
RELEASE = thing(
    "helm.toolkit.fluxcd.io/v2",
    "HelmRelease",
    spec={
        "interval": "1h",
        "chart": {"spec": {"chart": "longhorn", "version": "1.9.0", "sourceRef": {"kind": "HelmRepository", "name": "l"}}},
        "values": {"any": {"thing": [1, "two", None]}},
    },
)
STORAGE_NODE = thing(
    "longhorn.io/v1beta2",
    "Node",
    spec={"name": "k3s1", "disks": {"sdf1": {"path": "/mnt/sdf1", "storageReserved": 26843545600, "tags": ["hdd"]}}},
)
DEPLOYMENT = thing(
    "apps/v1",
    "Deployment",
    spec={
        "replicas": 1,
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}, "creationTimestamp": None},
            "spec": {
                "containers": [
                    {
                        "name": "x",
                        "image": "x:1",
                        "ports": [{"containerPort": 80, "name": "http"}],
                        "livenessProbe": {"httpGet": {"port": "http"}},
                        "readinessProbe": {"tcpSocket": {"port": 80}},
                        "resources": {"requests": {"cpu": 0.5, "memory": "64Mi"}, "limits": {"cpu": 1, "memory": 134217728}},
                    }
                ]
            },
        },
    },
)
MONITOR = thing(
    "monitoring.coreos.com/v1", "ServiceMonitor", spec={"selector": {}, "endpoints": [{"port": "manager", "interval": "30s"}]}
)
MIDDLEWARE = thing(
    "traefik.io/v1alpha1", "Middleware", spec={"stripPrefix": {"prefixes": ["/longhorn"]}, "plugin": {"mine": {"any": 1}}}
)
CHART_CONFIG = thing("helm.cattle.io/v1", "HelmChartConfig", spec={"valuesContent": "a: 1", "failurePolicy": "abort"})
ISSUER = thing("cert-manager.io/v1", "ClusterIssuer", spec={"ca": {"secretName": "homelab-ca"}})
BUILD = {
    "apiVersion": "kustomize.config.k8s.io/v1beta1",
    "kind": "Kustomization",
    "resources": ["a.yaml"],
    "patches": [{"path": "p.yaml", "target": {"kind": "Deployment"}}],
    "configMapGenerator": [{"name": "c", "files": ["a"], "options": {"disableNameSuffixHash": True}}],
}
ENCRYPTED = thing("v1", "Secret", stringData={"key": "ENC[AES256_GCM,data:x]"}, sops={"age": [], "version": "3.9.0"})
GOOD = (
    KUSTOMIZATION,
    RELEASE,
    STORAGE_NODE,
    DEPLOYMENT,
    MONITOR,
    MIDDLEWARE,
    CHART_CONFIG,
    ISSUER,
    BUILD,
    ENCRYPTED,
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "longhorn-system"}},
    thing("v1", "ResourceQuota", spec={"hard": {"requests.cpu": 2, "requests.storage": "50Gi", "pods": "20"}}),
)


def changed(obj: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path, whose numbers count list items."""
    result = copy.deepcopy(obj)
    at: Any = result
    *parents, last = path.split("/")
    for key in parents:
        at = at[int(key)] if isinstance(at, list) else at[key]
    at[last] = value
    return result


def said(obj: dict[str, Any], schemas: Schemas = REFERENCE) -> list[str]:
    """The problems as one would print them."""
    return [f"{problem.path}: {problem.message}" for problem in schemas.problems(obj)]
