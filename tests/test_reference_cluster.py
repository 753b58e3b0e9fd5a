"""The reference cluster's values, as its operator runs them, in the tree that its description becomes."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.core.findings import Severity, errors
from tests.conftest import Project

Objects = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture
def objects(reference: Project) -> Objects:
    """Every object of the tree by kind and name."""
    assembled = reference.run().assembled
    assert assembled is not None
    assert not errors(assembled.findings)
    return {
        (file.object["kind"], file.object["metadata"]["name"]): dict(file.object)
        for file in assembled.tree
        if "metadata" in file.object
    }


def test_longhorn_runs_as_the_operator_runs_it(objects: Objects) -> None:
    """Version, replicas, paths and backups."""
    release = objects["HelmRelease", "longhorn"]
    assert release["metadata"]["namespace"] == "longhorn-system"
    assert release["spec"]["chart"]["spec"]["version"] == "1.9.2"
    values = release["spec"]["values"]
    assert values["defaultSettings"] == {
        "createDefaultDiskLabeledNodes": True,
        "defaultDataPath": "/var/lib/longhorn/",
        "defaultReplicaCount": 2,
        "defaultDataLocality": "best-effort",
        "replicaSoftAntiAffinity": True,
        "replicaZoneSoftAntiAffinity": True,
    }
    assert values["defaultBackupStore"]["backupTarget"] == "s3://backup-bucket@us-east-1/"


def test_flux_2_6_tries_a_release_once_and_never_rolls_back(objects: Objects) -> None:
    """F17: an install loop, and remedies that would delete storage."""
    for (kind, _), release in objects.items():
        if kind == "HelmRelease":
            assert release["spec"]["install"]["remediation"] == {"retries": 0, "remediateLastFailure": False}
            assert release["spec"]["upgrade"]["remediation"] == {"retries": 0, "remediateLastFailure": False}
            assert release["spec"]["driftDetection"]["mode"] == "enabled"


def test_the_live_node_has_its_three_disks_and_the_planned_one_has_no_object(reference: Project) -> None:
    """Longhorn deletes a Node whose Kubernetes node does not exist, and Flux would make it again, forever."""
    assembled = reference.run().assembled
    assert assembled is not None
    nodes = [file.object for file in assembled.tree if file.object["kind"] == "Node"]
    assert {node["metadata"]["name"] for node in nodes} == {"k3s1"}
    [storage] = [node for node in nodes if node["apiVersion"] == "longhorn.io/v1beta2"]
    paths = {name: disk["path"] for name, disk in storage["spec"]["disks"].items()}
    assert paths == {f"{name}1": f"/mnt/longhorn/{name}1" for name in ("sdf", "sdg", "sdh")}
    [labelled] = [node for node in nodes if node["apiVersion"] == "v1"]
    assert labelled["metadata"]["labels"] == {"node.longhorn.io/create-default-disk": "config", "storage": "longhorn"}
    assert labelled["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/ssa"] == "Merge"
    assert "spec" not in labelled


def test_storage_survives_pruning(objects: Objects) -> None:
    """F18, F27, U10."""
    for kind, name in (("Namespace", "longhorn-system"), ("HelmRelease", "longhorn"), ("StorageClass", "longhorn-hdd")):
        assert objects[kind, name]["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
    for name in ("longhorn", "longhorn-storage"):
        layer = objects["Kustomization", name]
        assert layer["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
        assert layer["spec"]["deletionPolicy"] == "Orphan"


def test_every_layer_waits_and_no_group_and_no_machine_does(objects: Objects) -> None:
    """A group that waits delays the cure of what is broken in it; a machine that does, everything else."""
    machines = {"longhorn-node-k3s1", "node-k3s1-labels"}
    named = {"longhorn-disks", "longhorn-storage"}
    for (kind, name), one in objects.items():
        if kind == "Kustomization":
            certificates = name.endswith("-tls")  # an authority that cannot be reached would keep Flux's workers waiting
            groups = {"infrastructure", "monitoring", "apps"}
            assert one["spec"]["wait"] is (not certificates and name not in {*groups, *machines, *named})
            assert bool(one["spec"].get("healthChecks")) is (name in named)
            assert one["spec"]["interval"]
            assert one["spec"]["retryInterval"]
            assert one["spec"]["timeout"]


def test_only_known_warnings_are_left(reference: Project) -> None:
    """The findings of the reference cluster are only those that its operator has to know."""
    found = {finding.id for finding in reference.run().findings if finding.severity is Severity.WARNING}
    # Nobody has said where copies of its own state would go.
    assert found == {"ingress/retired", "dns/mdns", "datastore/no-copy"}


def test_a_third_machine_changes_exactly_what_it_should(reference: Project) -> None:
    """U12: adding a node needed edits in many files."""
    before = reference.run().assembled
    new = (reference.root / "nodes/k3s2.yaml").read_text().replace("86.72", "86.73").replace("state: planned", "state: live")
    (reference.root / "nodes/k3s3.yaml").write_text(new)
    after = reference.run().assembled
    assert before is not None
    assert after is not None
    changed = {path for path in before.files.keys() | after.files.keys() if before.files.get(path) != after.files.get(path)}
    assert changed == {
        "README.md",
        "infrastructure/kustomization.yaml",
        "infrastructure/ingress-tls/certificate-default-certificate.yaml",
        "infrastructure/node-labels-access/cluster-role-fluxstead-node-labels.yaml",
        "infrastructure/longhorn-disks.yaml",
        "infrastructure/longhorn-node-k3s3.yaml",
        "infrastructure/longhorn-node-k3s3/kustomization.yaml",
        "infrastructure/longhorn-node-k3s3/node-k3s3.yaml",
        "infrastructure/node-k3s3-labels.yaml",
        "infrastructure/node-k3s3-labels/kustomization.yaml",
        "infrastructure/node-k3s3-labels/node-k3s3.yaml",
    }


def test_a_leaving_machine_is_emptied(reference: Project) -> None:
    """Scheduling off and eviction on, for the node and for its disks: the webhook refuses one without the other."""
    reference.replace("nodes/k3s1.yaml", "state: live", "state: leaving")
    (reference.root / "nodes/k3s3.yaml").write_text(
        "cluster: k3s-flux\naddress: 192.168.86.73\nrole: server\nstate: live\n"
        "disks: [{name: a, serial: S1, size: 465Gi, mountPath: /mnt/a, tags: [ssd, hdd, ssd]}]\n"
    )
    assembled = reference.run().assembled
    assert assembled is not None
    specs = {
        file.object["metadata"]["name"]: file.object["spec"]
        for file in assembled.tree
        if file.object["apiVersion"] == "longhorn.io/v1beta2"
    }
    leaving = [specs["k3s1"], *specs["k3s1"]["disks"].values()]
    assert all(one["allowScheduling"] is False and one["evictionRequested"] is True for one in leaving)
    assert specs["k3s3"]["allowScheduling"] is True
    assert specs["k3s3"]["disks"]["a"]["tags"] == ["hdd", "ssd"]
    assert specs["k3s1"]["disks"]["sdf1"]["storageReserved"] == 25 * 1024**3
