"""F1: monitoring started before Longhorn was usable, and its release looped on unbound volumes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_claim_that_does_not_wait_for_the_disks_is_refused() -> None:
    """The chart makes the class long before a volume can be placed."""
    refused("F1", "coldstart/too-early")


def test_a_class_that_no_disk_serves_is_refused() -> None:
    """Its volumes would wait forever."""
    refused("F1", "storage/tags")


def test_volumes_that_do_not_fit_are_refused() -> None:
    """The arithmetic is in the message."""
    refused("F1", "storage/capacity")


GATES = pytest.mark.parametrize(("cluster", "gate"), [("reference", "longhorn-disks"), ("example", "longhorn-storage")])


@GATES
def test_the_gate_asks_for_registered_disks_and_nothing_that_may_fail_later(
    cluster: str, gate: str, request: pytest.FixtureRequest
) -> None:
    """A gate on present health froze every later commit when one disk died."""
    layers = layers_of(request.getfixturevalue(cluster))
    [check] = layers[gate]["healthCheckExprs"]
    assert "diskUUID != ''" in check["current"]
    assert "Ready" not in check["current"]


@GATES
def test_the_gate_names_every_machine_and_holds_none_of_their_objects(
    cluster: str, gate: str, request: pytest.FixtureRequest
) -> None:
    """What Longhorn refuses to one machine would otherwise stop the layer on which all others depend."""
    project: Project = request.getfixturevalue(cluster)
    assembled = project.run().assembled
    assert assembled is not None
    owners = {
        file.object["metadata"]["name"]: layer
        for layer, files in assembled.tree.by_layer.items()
        for file in files
        if file.object["apiVersion"].startswith("longhorn.io/") and file.object["kind"] == "Node"
    }
    assert owners == {name: f"longhorn-node-{name}" for name in owners}
    layers = layers_of(project)
    assert {one["name"] for one in layers[gate]["healthChecks"]} == set(owners)
    waited_for = {one["name"] for layer in layers.values() for one in layer.get("dependsOn", ())}
    assert waited_for.isdisjoint(owners.values())


def test_flux_since_2_7_asks_whether_the_gate_was_open_once(example: Project) -> None:
    """Its built-in question is asked at each revision, and a machine would hold back every later commit."""
    for name, layer in layers_of(example).items():
        for dependency in layer.get("dependsOn", ()):
            storage = dependency["name"] in {"longhorn", "longhorn-storage"}
            assert ("lastAppliedRevision" in dependency.get("readyExpr", "")) is storage, name


def test_flux_before_2_7_waits_for_what_is_applied_once_the_gate_has_opened(reference: Project) -> None:
    """No layer on which others depend depends on the gate itself, which is asked at each revision there."""
    layers = layers_of(reference)
    assert "readyExpr" not in str(layers)
    [opened] = layers["longhorn-storage"]["healthChecks"]
    assert (opened["kind"], opened["name"]) == ("ConfigMap", "longhorn-disks-registered")
    behind = {name for name, layer in layers.items() if {"name": "longhorn-disks"} in layer.get("dependsOn", ())}
    assert behind == {"longhorn-disks-registered"}
    assert not [name for name, layer in layers.items() if {"name": "longhorn-disks-registered"} in layer.get("dependsOn", ())]
    assert "dependsOn" not in layers["longhorn-storage"]


def layers_of(project: Project) -> dict[str, dict[str, Any]]:
    """The specs of the layers' Flux Kustomizations, by name."""
    assembled = project.run().assembled
    assert assembled is not None
    return {name: dict(files[0].object["spec"]) for name, files in assembled.tree.by_layer.items()}
