"""Real Flux brings both committed trees up from an empty cluster, in the order that was inferred."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import yaml

from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.store import DiskStore
from fluxstead.checks.reading.waiting import waiting_in
from tests.e2e.cluster.api import Json, refusals
from tests.e2e.cluster.description import Project, tree_objects
from tests.e2e.cluster.fixtures import EDGE, NODE
from tests.e2e.cluster.flux import Cluster

Record = Callable[[str, object], None]
pytestmark = pytest.mark.flux


def test_the_committed_tree_becomes_ready_by_itself_in_the_inferred_order(
    cluster: Cluster, project: Project, record_property: Record
) -> None:
    """U5: many trees come up only where they already ran. The layers' first Ready is a linear extension of the order."""
    came_up_in_order(cluster, project, record_property)
    assert [node["metadata"]["name"] for node in cluster.api.list("v1", "Node")] == [NODE]
    for kind, name, parts in (
        ("DaemonSet", "longhorn-manager", {"requests"}),
        ("Deployment", "longhorn-ui", {"requests", "limits"}),
    ):
        workload = cluster.api.get("apps/v1", kind, name, "longhorn-system")
        assert workload
        assert workload["spec"]["template"]["spec"]["containers"][0]["resources"].keys() == parts, "as patches of the chart say"


def test_the_second_cluster_becomes_ready_by_itself_too(
    edge_cluster: Cluster, edge_project: Project, record_property: Record
) -> None:
    """Another Flux and Longhorn, k3s's own Traefik and local storage, hard anti-affinity, an application of people's own."""
    came_up_in_order(edge_cluster, edge_project, record_property)
    nodes = {file.stem: yaml.safe_load(file.read_text()) for file in sorted((EDGE / "nodes").glob("*.yaml"))}
    storing = {name: {disk["name"] for disk in node["disks"]} for name, node in nodes.items() if node.get("disks")}
    found = edge_cluster.api.list("longhorn.io/v1beta2", "Node", "longhorn-system")
    assert {one["metadata"]["name"]: set(one["status"]["diskStatus"]) for one in found if one["spec"]["disks"]} == storing
    classes = edge_cluster.api.list("storage.k8s.io/v1", "StorageClass")
    assert [one["metadata"]["name"] for one in classes if is_default(one)] == ["longhorn"], "k3s's own class is the default no more"


def came_up_in_order(cluster: Cluster, project: Project, record: Record) -> None:
    """The committed tree becomes Ready by itself, each layer after those that it needs."""
    names = project.layers()
    simulated = cold_start(project)
    assert simulated == inferred(project)
    started = time.monotonic()
    with cluster.recording() as became_ready:
        cluster.bootstrap(f"./clusters/{project.stack}")
        revision = cluster.commit("the tree as it is committed")
        cluster.wait_for_layers(names, revision)
        cluster.eventually("all of them recorded", lambda: set(names) <= set(became_ready))
    record(f"{project.stack}: all layers Ready after {time.monotonic() - started:.0f} s, in this order", ", ".join(became_ready))
    record(f"{project.stack}: memory in MiB", ", ".join(f"{name} {held}" for name, held in cluster.processes.memory().items()))
    position = {name: index for index, name in enumerate(became_ready)}
    assert not [(first, then) for first, then in simulated if position[first] > position[then]]
    groups = [group for group in cluster.layers() if group not in names]
    cluster.wait_for_layers(groups, revision)
    # Strictly, by the definitions that these controllers were published with.
    assert not refusals(cluster.api, tree_objects(project.folder / "generated" / project.stack))


def cold_start(project: Project) -> set[tuple[str, str]]:
    """Which layer is ready before which other is applied, as the check of the cold start reads the committed files."""
    applied = read_applied_tree(DiskStore(project.folder), [f"clusters/{project.stack}"])
    waiting, names = waiting_in(applied), project.layers()
    layers = [kustomization for kustomization in applied.kustomizations.values() if kustomization.name in names]
    return {(first.name, then.name) for first in layers for then in layers if waiting.before(then, first, ready=True)}


def inferred(project: Project) -> set[tuple[str, str]]:
    """The same, as the order was inferred from the description.

    A layer is applied after those that it depends on are ready, and ready after those whose objects it watches are applied.
    """
    order = project.assembled().tree.order
    applied: dict[str, set[str]] = {}
    ready: dict[str, set[str]] = {}
    for layer in order.layers:
        edges = order.edges[layer.name]
        after = [edge.dependency for edge in edges if not edge.watched]
        applied[layer.name] = {*after, *(earlier for name in after for earlier in ready[name])}
        watched = (applied[edge.dependency] for edge in edges if edge.watched)
        ready[layer.name] = applied[layer.name].union(*watched)
    return {(first, then) for then, all_before in applied.items() for first in all_before}


def is_default(storage_class: Json) -> bool:
    """Whether claims that name no class get this one."""
    annotations = storage_class["metadata"].get("annotations", {})
    return bool(annotations.get("storageclass.kubernetes.io/is-default-class") == "true")
