"""F10: node labels gone after a node reset; replicas unschedulable."""

from __future__ import annotations

from tests.conftest import Project


def test_flux_keeps_the_labels_and_can_make_no_node(reference: Project) -> None:
    """Without the role's limits an absent node would become a phantom; with taints Flux would take the controllers' own away."""
    assembled = reference.run().assembled
    assert assembled is not None
    objects = {file.path: file.object for file in assembled.tree}
    node = objects["infrastructure/node-k3s1-labels/node-k3s1.yaml"]
    assert node["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/ssa"] == "Merge"
    assert "spec" not in node
    assert objects["infrastructure/node-k3s1-labels.yaml"]["spec"]["serviceAccountName"] == "node-labels"
    [role] = [one for one in objects.values() if one["kind"] == "ClusterRole"]
    assert [(rule["verbs"], rule.get("resourceNames")) for rule in role["rules"]] == [
        (["get", "list", "watch"], None),
        (["patch"], ["k3s1"]),
    ]
    waiting = [one["spec"].get("dependsOn", []) for one in objects.values() if one["kind"] == "Kustomization" and "spec" in one]
    assert not [entry for entries in waiting for entry in entries if entry["name"] == "node-k3s1-labels"]
