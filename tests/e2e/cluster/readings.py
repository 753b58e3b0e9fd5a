"""What a running cluster holds, as the tests of changes read it through its API."""

from __future__ import annotations

import yaml

from tests.e2e.cluster.api import Json, condition
from tests.e2e.cluster.flux import Cluster

LONGHORN = "longhorn-system"


def failure(cluster: Cluster, layer: str, word: str) -> str:
    """A layer's message, while it is not Ready for that reason."""
    now = condition(cluster.layers()[layer])
    message: str = now.get("message", "")
    return message if now.get("status") == "False" and word in message else ""


def release_failure(cluster: Cluster) -> str:
    """Why Longhorn's release is not Ready."""
    now = condition(cluster.release("longhorn", LONGHORN))
    return str(now.get("message", "")) if now.get("status") == "False" else ""


def longhorn_uids(cluster: Cluster) -> dict[str, str]:
    """What tells whether Longhorn was ever gone: the UIDs of its namespace, its managers and its kinds."""
    found = cluster.api.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    own = [one for one in found if one["spec"]["group"] == "longhorn.io"]
    own += [cluster.api.get("v1", "Namespace", LONGHORN) or {}]
    own += [cluster.api.get("apps/v1", "DaemonSet", "longhorn-manager", LONGHORN) or {}]
    return {one["metadata"]["name"]: one["metadata"]["uid"] for one in own}


def helm_revisions(cluster: Cluster) -> dict[int, str]:
    """The states of the revisions that Helm keeps of Longhorn's release: each attempt and each rollback makes one."""
    kept = [one["metadata"]["labels"] for one in cluster.api.list("v1", "Secret", LONGHORN) if one["type"] == "helm.sh/release.v1"]
    return {int(one["version"]): one["status"] for one in kept if one["name"] == "longhorn"}


def data_locality(cluster: Cluster) -> str | None:
    """Longhorn's default as its chart hands it over, under the name that the real chart gives it or the miniature's."""
    settings = cluster.api.get("v1", "ConfigMap", "longhorn-default-setting", LONGHORN) or {}
    found: Json = yaml.safe_load(settings["data"]["default-setting.yaml"])
    return found.get("default-data-locality", found.get("defaultDataLocality"))


def labels(cluster: Cluster, node: str) -> Json:
    """The labels of a machine."""
    found: Json = (cluster.api.get("v1", "Node", node) or {}).get("metadata", {}).get("labels", {})
    return found


def disks_of(cluster: Cluster, machine: str) -> set[str]:
    """The disks that a machine's manager told of."""
    node = cluster.api.get("longhorn.io/v1beta2", "Node", machine, LONGHORN) or {}
    return set(node.get("status", {}).get("diskStatus", {}))


def environment_of_the_app(cluster: Cluster) -> Json:
    """The variables of the reference cluster's application in dev."""
    app = cluster.api.get("apps/v1", "Deployment", "example-app", "example-app-dev") or {}
    return {one["name"]: one["value"] for one in app["spec"]["template"]["spec"]["containers"][0]["env"]}


def replicas(cluster: Cluster, name: str, namespace: str) -> int:
    """How many pods a Deployment wants."""
    return int((cluster.api.get("apps/v1", "Deployment", name, namespace) or {}).get("spec", {}).get("replicas", -1))
