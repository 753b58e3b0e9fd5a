"""The whole program under Pulumi's mocks: resources, parents, dependencies, inputs, outputs, and when the tree is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pulumi
import pytest

from tests.components.recorder import STACK, Registered, Runner
from tests.conftest import Project


def layers_of(seen: Mapping[str, Registered]) -> dict[str, tuple[str, Registered]]:
    """The layers by name, with their URNs."""
    return {one.name: (urn, one) for urn, one in seen.items() if one.type == "fluxstead:tree:Layer"}


@pytest.mark.parametrize("which", ["reference", "example"])
def test_the_resource_graph_has_the_edges_of_the_files(which: str, request: pytest.FixtureRequest, run_pulumi: Runner) -> None:
    """`dependsOn` in the tree and dependencies in Pulumi are one order."""
    project: Project = request.getfixturevalue(which)
    assembled = project.run().assembled
    assert assembled is not None
    layers = layers_of(run_pulumi(project, preview=True))
    order = assembled.tree.order
    assert set(layers) == {layer.name for layer in order.layers}
    for name, (_, layer) in layers.items():
        assert layer.dependencies == {layers[other][0] for other in order.dependencies(name)}


def test_each_layer_is_a_child_of_its_system_and_carries_its_files(reference: Project, run_pulumi: Runner) -> None:
    """So that `pulumi preview --diff` shows a changed object key by key, under the system's name."""
    assembled = reference.run().assembled
    assert assembled is not None
    seen = run_pulumi(reference, preview=True)
    for name, (_, layer) in layers_of(seen).items():
        assert seen[layer.parent].type.startswith("fluxstead:")
        assert layer.inputs["manifests"] == {file.path: file.text for file in assembled.tree.by_layer[name]}
    assert seen[layers_of(seen)["longhorn"][1].parent].type == "fluxstead:longhorn:Longhorn"


def test_a_layer_carries_digests_of_its_ciphertext_and_no_value(example: Project, run_pulumi: Runner) -> None:
    """A changed Secret shows up at its layer, and no state holds what it says."""
    layers = layers_of(run_pulumi(example, preview=True))
    with_secrets = {name: layer.inputs["secrets"] for name, (_, layer) in layers.items() if "secrets" in layer.inputs}
    assert {name: sorted(digests) for name, digests in with_secrets.items()} == {
        "certificate-issuers": ["secrets/edge/certificate-issuers/rfc2136-key.sops.yaml"],
        "oauth2-proxy": ["secrets/edge/oauth2-proxy/oidc-client.sops.yaml"],
        "kube-prometheus-stack": [
            "secrets/edge/kube-prometheus-stack/grafana-admin.sops.yaml",
            "secrets/edge/kube-prometheus-stack/grafana-oidc.sops.yaml",
        ],
        "wiki-live-access": ["secrets/edge/wiki-live-access/wiki-settings.sops.yaml"],
    }
    assert all(len(digest) == 64 for digests in with_secrets.values() for digest in digests.values())
    assert not any("ENC[" in str(layer.inputs) for _, layer in layers.values())


def test_each_system_is_a_component_whose_type_stays(reference: Project, run_pulumi: Runner) -> None:
    """The types are part of the URNs in every state."""
    seen = run_pulumi(reference, preview=True)
    systems = [one for one in seen.values() if one.type not in {STACK, "fluxstead:tree:Layer"}]
    assert {one.name: one.type for one in systems} == {
        "node_labels": "fluxstead:node_labels:NodeLabels",
        "datastore": "fluxstead:datastore:Datastore",
        "dns": "fluxstead:dns:Dns",
        "longhorn": "fluxstead:longhorn:Longhorn",
        "ingress": "fluxstead:ingress:Ingress",
        "certificates": "fluxstead:certificates:Certificates",
        "access": "fluxstead:access:Access",
        "monitoring": "fluxstead:monitoring:Monitoring",
        "applications": "fluxstead:applications:Applications",
    }
    assert {seen[one.parent].type for one in systems} == {STACK}


def test_a_system_gives_what_its_plan_says(reference: Project, run_pulumi: Runner) -> None:
    """What another program may build on."""
    [longhorn] = [one for one in run_pulumi(reference, preview=True).values() if one.type == "fluxstead:longhorn:Longhorn"]
    address = "https://192.168.86.71:30443/longhorn/"
    assert longhorn.outputs == {"storageClasses": ["longhorn", "longhorn-hdd"], "addresses": {"longhorn": address}}


def test_the_stack_tells_where_people_go(reference: Project, run_pulumi: Runner) -> None:
    """`pulumi stack output addresses`, each below the system that has it."""
    [stack] = [one for one in run_pulumi(reference, preview=True).values() if one.type == STACK]
    assert stack.outputs["tree"] == "generated/k3s-flux"
    assert stack.outputs["addresses"] == {
        "longhorn": {"longhorn": "https://192.168.86.71:30443/longhorn/"},
        "monitoring": {"grafana": "https://192.168.86.71:30443/grafana"},
        "applications": {
            "example-app-dev": "https://dev.example-app.local:30443/",
            "example-app-prod": "https://example-app.local:30443/",
            "example-app-staging": "https://staging.example-app.local:30443/",
        },
    }


def test_preview_writes_nothing_and_up_writes_what_render_writes(
    reference: Project, run_pulumi: Runner, tree_of: Callable[[Path], dict[str, bytes]]
) -> None:
    """The tree is written in `up` only."""
    run_pulumi(reference, preview=True)
    assert not (reference.root / "generated").exists()
    run_pulumi(reference, preview=False)
    assembled = reference.run().assembled
    assert assembled is not None
    found = tree_of(reference.root / assembled.tree.directory)
    assert {path: text.encode() for path, text in assembled.files.items()}.items() <= found.items()
    assert (reference.root / "clusters/k3s-flux/tree.yaml").exists()


def test_an_error_in_the_description_stops_the_program_with_the_findings(reference: Project, run_pulumi: Runner) -> None:
    """A RunError is what Pulumi prints without a traceback."""
    reference.replace("nodes/k3s1.yaml", "role: server", "role: master")
    with pytest.raises(pulumi.RunError, match="'master' is none of: server or agent"):
        run_pulumi(reference, preview=False)
    assert not (reference.root / "generated").exists()


def test_a_hand_edited_file_stops_preview_and_up_unless_told_otherwise(
    reference: Project, run_pulumi: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first host."""
    run_pulumi(reference, preview=False)
    edited = reference.root / "generated/k3s-flux/infrastructure.yaml"
    edited.write_text(edited.read_text().replace("prune: true", "prune: false"))
    for preview in (True, False):
        with pytest.raises(pulumi.RunError, match="edited by hand"):
            run_pulumi(reference, preview=preview)
    monkeypatch.setenv("FLUXSTEAD_OVERWRITE", "1")
    run_pulumi(reference, preview=False)
    assert "prune: true" in edited.read_text()
