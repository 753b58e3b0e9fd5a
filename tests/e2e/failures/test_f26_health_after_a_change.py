"""F26: health was not validated after a change: nobody knew whether monitoring waits for healthy storage, or only for its chart."""

from __future__ import annotations

import time
from functools import partial

import pytest

from tests.e2e.cluster.api import Json, RefusedError, is_ready
from tests.e2e.cluster.description import STACK, Project
from tests.e2e.cluster.fixtures import NODE
from tests.e2e.cluster.flux import Cluster, applied
from tests.e2e.cluster.stand_ins import Disk, registered, unseen

DISKS = ("sdf1", "sdg1", "sdh1")
GATED = "kube-prometheus-stack"
RELEASE_OF_GATED = "monitoring-kube-prometheus-stack"
# Several times what Flux takes from an opened gate to the first object behind it.
LOOK_SECONDS = 12


@pytest.mark.flux
def test_monitoring_is_not_applied_before_every_declared_disk_is_registered(cluster: Cluster, project: Project) -> None:
    """The mission's sentence: stays away, stays away, stays away, comes; and a disk that dies later holds nothing back."""
    names = project.layers()
    cluster.stand_ins.disks = unseen
    cluster.bootstrap(f"./clusters/{STACK}")
    machine = f"generated/{STACK}/infrastructure/longhorn-node-{NODE}.yaml"
    project.replace(machine, "spec:\n", "spec:\n  suspend: true\n")
    revision = cluster.commit("the tree as it is committed, the machine's layer late")
    cluster.eventually("a Node of Longhorn's own, without disks", lambda: longhorn_node(cluster), 120)
    cluster.wait_for_layers(["ingress-nginx", "longhorn", "longhorn-routes", "example-app-prod"], revision)
    stays_away(cluster, "the disks not yet declared")

    project.replace(machine, "  suspend: true\n", "")
    revision = cluster.commit("the tree as it is committed")
    cluster.eventually("its disks declared", lambda: set(longhorn_node(cluster)["spec"]["disks"]) == set(DISKS), 120)
    stays_away(cluster, "no status")
    last = DISKS[-1]
    cluster.stand_ins.disks = lambda node, disk: None if disk == last else registered(node, disk)
    cluster.eventually("two disks in the status", lambda: set(disk_status(cluster)) == set(DISKS) - {last})
    stays_away(cluster, "one disk missing")
    cluster.stand_ins.disks = lambda node, disk: Disk("") if disk == last else registered(node, disk)
    cluster.eventually("the last disk without UUID", lambda: disk_status(cluster).get(last, {}).get("diskUUID") == "")
    stays_away(cluster, "one disk without UUID")
    cluster.stand_ins.disks = registered
    cluster.eventually("monitoring applied", lambda: cluster.release(RELEASE_OF_GATED, "monitoring"), 150)
    cluster.wait_for_layers(names, revision)

    uuid = disk_status(cluster)[last]["diskUUID"]
    cluster.stand_ins.disks = lambda node, disk: Disk(uuid, ready=False) if disk == last else registered(node, disk)
    cluster.eventually("the disk dead", lambda: disk_status(cluster)[last]["conditions"][0]["status"] == "False")
    project.replace(project.stack_file.name, "retention: 10d", "retention: 11d")
    project.replace(project.stack_file.name, "PODINFO_LEVEL: debug", "PODINFO_LEVEL: warn")
    project.render()
    revision = cluster.commit("monitoring and an application, while a disk is dead")
    cluster.wait_for_layers(names, revision, 120)
    prometheus = cluster.api.list("monitoring.coreos.com/v1", "Prometheus", "monitoring")
    assert [one["spec"]["retention"] for one in prometheus] == ["11d"]
    app = cluster.api.get("apps/v1", "Deployment", "example-app", "example-app-dev")
    assert app
    assert {"name": "PODINFO_LEVEL", "value": "warn"} in app["spec"]["template"]["spec"]["containers"][0]["env"]


@pytest.mark.flux
def test_of_several_machines_one_disk_keeps_monitoring_away(edge_cluster: Cluster, edge_project: Project) -> None:
    """The second cluster: four disks of three machines are registered, and one of the fourth is missing."""
    late = ("delta", "hdd-two")
    edge_cluster.stand_ins.disks = lambda node, disk: None if (node, disk) == late else registered(node, disk)
    edge_cluster.bootstrap("./clusters/edge")
    revision = edge_cluster.commit("the tree as it is committed")
    for machine, disk in (("alpha", "nvme-fast"), ("beta", "nvme-fast"), ("gamma", "nvme-fast"), ("delta", "hdd-one")):
        edge_cluster.eventually(f"{disk} of {machine} registered", partial(has, edge_cluster, machine, {disk}), 120)
    edge_cluster.wait_for_layers(["longhorn", "whoami"], revision)
    stays_away(edge_cluster, "one disk missing")
    edge_cluster.stand_ins.disks = registered
    edge_cluster.wait_for_layers(edge_project.layers(), revision)


def has(cluster: Cluster, machine: str, disks: set[str]) -> bool:
    """Whether these and no others of the machine's disks are in the status."""
    return set(disk_status(cluster, machine)) == disks


def disk_status(cluster: Cluster, machine: str = NODE) -> Json:
    """What Longhorn says about the disks of a machine."""
    status: Json = longhorn_node(cluster, machine).get("status", {}).get("diskStatus", {})
    return status


def longhorn_node(cluster: Cluster, machine: str = NODE) -> Json:
    """Longhorn's Node of a machine, or nothing."""
    try:
        return cluster.api.get("longhorn.io/v1beta2", "Node", machine, "longhorn-system") or {}
    except RefusedError:
        return {}  # not even its kind is there yet


def stays_away(cluster: Cluster, case: str) -> None:
    """Neither the layer nor anything of it comes while one looks."""
    end = time.monotonic() + LOOK_SECONDS
    while time.monotonic() < end:
        layers = cluster.layers()
        assert not is_ready(layers["longhorn-storage"]), f"{case}: the storage layer is Ready\n{cluster.report()}"
        assert not applied(layers[GATED]), f"{case}: {GATED} was applied\n{cluster.report()}"
        assert cluster.api.get("v1", "Namespace", "monitoring") is None, f"{case}: the namespace is there"
        time.sleep(0.5)
