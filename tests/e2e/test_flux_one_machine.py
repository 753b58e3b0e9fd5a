"""What happens to one machine holds back no commit to what already runs, from the moment a cluster comes into this layout on."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster.api import Json, condition
from tests.e2e.cluster.description import PROJECT, Project
from tests.e2e.cluster.fixtures import NODE, Need, edge_running
from tests.e2e.cluster.flux import NAMESPACE, Cluster, applied
from tests.e2e.cluster.longhorn import MISMATCH
from tests.e2e.cluster.report import KUSTOMIZATION
from tests.tree.earlier import to_earlier_layout

PAGE = PROJECT / "docs/tasks/a-machine-stands-still.md"
LONGHORN = "longhorn-system"
LONGHORN_NODE = ("longhorn.io/v1beta2", "Node")
HELD_SECONDS = 15
GATE_OF_2_6 = {"longhorn-disks", "longhorn-disks-registered"}
Record = Callable[[str, object], None]
pytestmark = pytest.mark.flux
NEW_DISK = """disks:
  - name: later
    serial: EX0099HD
    size: 3Ti
    mountPath: /mnt/longhorn/later
    tags: [hdd]
    reserved: 100Gi
"""
KEPT = (
    ("v1", "Namespace"),
    ("v1", "Node"),
    ("v1", "PersistentVolumeClaim"),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
    ("apps/v1", "DaemonSet"),
    ("storage.k8s.io/v1", "StorageClass"),
    LONGHORN_NODE,
)


@pytest.fixture
def edge_cluster(need: Need) -> Iterator[Cluster]:
    """The second cluster, empty, with a Flux that drops a wait when a new commit is there."""
    with edge_running(need, cure_at_once=True) as made:
        yield made


def test_flux_2_6_a_disk_added_while_its_machine_is_down(cluster: Cluster, project: Project, record_property: Record) -> None:
    """The reference cluster: the takeover, the disk and later commits, its revert, and the machine's return."""
    runs_in_the_earlier_layout(cluster, project)
    before = uids(cluster)
    takes_over(cluster, project, set())
    assert before.items() <= uids(cluster).items()
    assert "node-labels" not in cluster.layers()

    cluster.stand_ins.down = frozenset({NODE})
    project.replace(f"nodes/{NODE}.yaml", "disks:\n", NEW_DISK)
    project.replace(project.stack_file.name, "retention: 10d", "retention: 11d")
    record_property("seconds to monitoring, with the disk", arrives(cluster, project, "a disk and monitoring", GATE_OF_2_6))
    assert retention(cluster) == "11d"
    project.replace(project.stack_file.name, "retention: 11d", "retention: 12d")
    stuck = GATE_OF_2_6 | {f"longhorn-node-{NODE}"}
    record_property("seconds to monitoring, while the Node is refused", arrives(cluster, project, "monitoring", stuck))
    assert retention(cluster) == "12d"
    cluster.eventually(
        "Longhorn's refusal, told by the machine's layer", lambda: MISMATCH in said(cluster, f"longhorn-node-{NODE}")
    )

    project.replace(f"nodes/{NODE}.yaml", NEW_DISK, "disks:\n")
    status, answer = project.run("render")
    assert status == 1
    assert "moves/disk-removed" in answer
    assert "with evict: true" in answer
    project.replace(f"nodes/{NODE}.yaml", "disks:\n", NEW_DISK.replace("    tags", "    evict: true\n    tags"))
    arrives(cluster, project, "the first step of the revert", stuck)

    cluster.stand_ins.down = frozenset()
    returned(cluster, NODE)
    cluster.wait_for_layers(project.layers(), applied(cluster.layers()["longhorn-storage"]))
    assert longhorn_node(cluster, NODE)["spec"]["disks"]["later"]["evictionRequested"]
    project.replace(f"nodes/{NODE}.yaml", NEW_DISK.replace("    tags", "    evict: true\n    tags"), "disks:\n")
    arrives(cluster, project, "the second step", set())
    assert "later" not in longhorn_node(cluster, NODE)["spec"]["disks"]


def test_flux_2_9_a_machine_that_never_returns(edge_cluster: Cluster, edge_project: Project, record_property: Record) -> None:
    """The second cluster: stuck in the earlier layout, freed by the takeover; other machines get their disks; it leaves."""
    cluster, project = edge_cluster, edge_project
    runs_in_the_earlier_layout(cluster, project)
    before = uids(cluster)
    cluster.stand_ins.down = frozenset({"delta"})
    project.replace("nodes/delta.yaml", "disks:\n", NEW_DISK)
    project.replace(project.stack_file.name, "retention: 4w", "retention: 5w")
    held = commit_in_the_earlier_layout(cluster, project, "a disk and monitoring")
    cluster.eventually("the disk declared", lambda: "later" in longhorn_node(cluster, "delta")["spec"]["disks"])
    time.sleep(HELD_SECONDS)
    assert applied(cluster.layers()["kube-prometheus-stack"]) != held
    stuck = {"longhorn-node-delta", "longhorn-storage"}
    takes_over(cluster, project, stuck)
    assert before.items() <= uids(cluster).items()
    assert retention(cluster) == "5w"

    project.replace("nodes/beta.yaml", "disks:\n", NEW_DISK.replace("0099", "0098"))
    project.replace(project.stack_file.name, "retention: 5w", "retention: 6w")
    record_property("seconds to monitoring, while a Node is refused", arrives(cluster, project, "beta's disk", stuck))
    assert retention(cluster) == "6w"
    cluster.eventually("beta's disk", lambda: longhorn_node(cluster, "beta")["status"]["diskStatus"].get("later"))
    assert MISMATCH in said(cluster, "longhorn-node-delta")

    project.replace(project.stack_file.name, "version: 1.12.1", "version: 1.12.2")
    project.replace(project.stack_file.name, "retention: 6w", "retention: 7w")
    arrives(cluster, project, "a broken Longhorn, and monitoring", {*stuck, "longhorn"})
    assert retention(cluster) == "7w"
    cluster.eventually("its release failed", lambda: condition(cluster.release("longhorn", LONGHORN)).get("status") == "False")
    cluster.repository.revert()
    revision = cluster.commit("git revert")
    cluster.wait_for_layers([name for name in project.layers() if name not in stuck], revision)

    project.replace("nodes/delta.yaml", "state: live", "state: leaving")
    arrives(cluster, project, "delta leaves", stuck)
    told_by_hand(cluster, "delta", "later")
    cluster.reconcile(*KUSTOMIZATION, "longhorn-node-delta", NAMESPACE)
    cluster.eventually("Longhorn empties it", lambda: longhorn_node(cluster, "delta")["spec"]["evictionRequested"])
    (project.folder / "nodes/delta.yaml").unlink()
    arrives(cluster, project, "delta is gone from the description", set())
    cluster.eventually("its layer gone", lambda: "longhorn-node-delta" not in cluster.layers())
    assert before.items() <= uids(cluster).items()


def runs_in_the_earlier_layout(cluster: Cluster, project: Project) -> None:
    """The cluster, up from the tree as it was before."""
    cluster.bootstrap(f"./clusters/{project.stack}")
    revision = commit_in_the_earlier_layout(cluster, project, "the earlier layout")
    cluster.wait_for_layers(["longhorn-storage", "node-labels", "kube-prometheus-stack", "monitoring-routes"], revision)


def commit_in_the_earlier_layout(cluster: Cluster, project: Project, message: str) -> str:
    """Commit what the description says now, as it was rendered before; the tree of now is put aside. Gives the revision."""
    aside, tree = cluster.folder / "of-now", tree_of(project)
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(tree)
    project.render()
    shutil.copytree(tree, aside)
    to_earlier_layout(tree)
    return cluster.commit(message)


def takes_over(cluster: Cluster, project: Project, stuck: set[str]) -> None:
    """One commit brings the tree of now; nothing stands against it, and all of it is Ready but what is `stuck`."""
    tree = tree_of(project)
    shutil.rmtree(tree)
    shutil.copytree(cluster.folder / "of-now", tree)
    status, answer = project.run("check")
    assert status == 0, answer
    revision = cluster.commit("each machine has its own layers")
    cluster.wait_for_layers([name for name in project.layers() if name not in stuck], revision)


def arrives(cluster: Cluster, project: Project, message: str, stuck: set[str]) -> str:
    """Render and commit; all layers but the `stuck` ones have it in time. Gives the seconds."""
    project.render()
    started, revision = time.monotonic(), cluster.commit(message)
    cluster.wait_for_layers([name for name in project.layers() if name not in stuck], revision)
    return f"{time.monotonic() - started:.0f}"


def returned(cluster: Cluster, machine: str) -> None:
    """The machine is back: its manager has told of its disks, and `flux reconcile` asks again now."""
    cluster.eventually(
        "spec and status agree",
        lambda: (node := longhorn_node(cluster, machine))["spec"]["disks"].keys() == node["status"]["diskStatus"].keys(),
    )
    cluster.reconcile(*KUSTOMIZATION, f"longhorn-node-{machine}", NAMESPACE)


def told_by_hand(cluster: Cluster, machine: str, disk: str) -> None:
    """The very command of the page."""
    [command] = re.findall(r"kubectl .* patch nodes.*", PAGE.read_text())
    words = command.replace("kubectl", cluster.control_plane.kubectl_words(), 1).replace("MACHINE", machine).replace("DISK", disk)
    subprocess.run(["bash", "-euc", words], check=True, capture_output=True)


def longhorn_node(cluster: Cluster, machine: str) -> Json:
    """Longhorn's Node of a machine, which is there."""
    found = cluster.api.get(*LONGHORN_NODE, machine, LONGHORN)
    assert found
    return found


def said(cluster: Cluster, layer: str) -> str:
    """Why a layer is not Ready."""
    now = condition(cluster.layers()[layer])
    return str(now.get("message", "")) if now.get("status") == "False" else ""


def retention(cluster: Cluster) -> str:
    """How long Prometheus keeps what it saw."""
    [prometheus] = cluster.api.list("monitoring.coreos.com/v1", "Prometheus", "monitoring")
    return str(prometheus["spec"]["retention"])


def uids(cluster: Cluster) -> dict[str, str]:
    """The UIDs of what holds data or is needed for it, of what is not going."""
    found = [(kind, one["metadata"]) for api, kind in KEPT for one in cluster.api.list(api, kind)]
    return {f"{kind} {one.get('namespace')}/{one['name']}": one["uid"] for kind, one in found if "deletionTimestamp" not in one}


def tree_of(project: Project) -> Path:
    """The generated tree in the working copy."""
    return project.folder / f"generated/{project.stack}"
