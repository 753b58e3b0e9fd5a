"""The page on adding an application is right as typed: its examples are a homelab, which renders and whose pods are admitted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fluxstead.assembly import Assembled
from fluxstead.core.findings import Severity
from fluxstead.embedded import run_program
from fluxstead.systems.applications.mounts import Device, Volume
from fluxstead.systems.applications.parts import OwnChart
from fluxstead.systems.applications.settings import Application, Environment
from tests.systems.homelab import PAGE, STACK, examples, write

EDGE = PAGE.parents[2] / "examples/edge/Pulumi.edge.yaml"
MODELS = (Application, Environment, Volume, Device, OwnChart)
ROOT_OR_DEVICE = {"applications/runs-as-root", "applications/privileged"}
OF_THE_CLUSTER = {"references/missing-secret", "longhorn/never-drained", "longhorn/no-backups", "datastore/no-copy"}


@pytest.fixture(scope="module")
def homelab(tmp_path_factory: pytest.TempPathFactory) -> Assembled:
    """What the program makes of it."""
    folder = tmp_path_factory.mktemp("homelab")
    write(folder)
    assembled = run_program(folder, STACK).assembled
    assert assembled is not None
    return assembled


def of(homelab: Assembled, kind: str) -> Iterator[dict[str, Any]]:
    """The objects of a kind in the applications' layers."""
    for layer in homelab.plans["applications"].layers:
        yield from (dict(one.object) for one in layer.manifests if one.object["kind"] == kind)


def test_it_renders_and_is_warned_of_what_the_page_says(homelab: Assembled) -> None:
    """Root and devices, each with its reason; the Secrets are the reader's."""
    assert not [one.text() for one in homelab.findings if one.severity is Severity.ERROR]
    assert {one.id for one in homelab.findings} == ROOT_OR_DEVICE | OF_THE_CLUSTER
    asked = {one.what.partition("`")[2].partition("`")[0] for one in homelab.findings if one.id in ROOT_OR_DEVICE}
    assert asked == {"papers", "hub", "names"}
    assert any("its s6 starts as root and knows no other user" in one.what for one in homelab.findings)


def test_each_namespace_admits_no_more_than_its_pods_need(homelab: Assembled) -> None:
    """The stick is the only reason for privileged pods."""
    levels = {
        one["metadata"]["name"]: one["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] for one in of(homelab, "Namespace")
    }
    assert {name for name, level in levels.items() if level == "privileged"} == {"hub-live"}
    assert {name for name, level in levels.items() if level == "baseline"} == {
        "papers-live",
        "names-live",
        "tides-live",
        "tides-trial",
    }


def test_every_volume_and_file_has_its_mount(homelab: Assembled) -> None:
    """Claims have the names that the page says."""
    claims = {f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in of(homelab, "PersistentVolumeClaim")}
    assert claims >= {"papers-live/papers-media", "photos-live/photos-originals", "photos-live/photos-storage", "hub-live/hub"}
    modes = {one["metadata"]["name"]: one["spec"]["accessModes"] for one in of(homelab, "PersistentVolumeClaim")}
    assert (modes["films-media"], modes["films-config"]) == (["ReadWriteMany"], ["ReadWriteOnce"])
    for one in of(homelab, "Deployment"):
        pod = one["spec"]["template"]["spec"]
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_the_releases_of_the_chart_are_what_each_environment_says(homelab: Assembled) -> None:
    """Another version and another size, and the rest as the application says."""
    found = {one["metadata"]["namespace"]: one["spec"] for one in of(homelab, "HelmRelease")}
    assert {name: spec["chart"]["spec"]["version"] for name, spec in found.items()} == {
        "tides-live": "1.4.0",
        "tides-trial": "1.5.0",
    }
    assert found["tides-trial"]["values"]["persistence"] == {"enabled": True, "size": "1Gi", "storageClass": "longhorn"}


def test_monitoring_does_not_wait_for_applications_and_storage_comes_before_their_claims(homelab: Assembled) -> None:
    """One that never becomes ready would keep all monitors from the cluster."""
    edges = {name: {edge.dependency for edge in edges} for name, edges in homelab.tree.order.edges.items()}
    names = {layer.name for layer in homelab.plans["applications"].layers}
    monitoring = [layer.name for layer in homelab.plans["monitoring"].layers]
    assert "monitoring-scrapes" in monitoring
    assert not [name for name in monitoring if edges[name] & names]
    without_volumes = {"whoami-live", "papers-broker-live", *(name for name in names if name.endswith("-access"))}
    assert all("longhorn-storage" in edges[name] for name in names - without_volumes)


def test_the_page_or_the_second_example_shows_every_key() -> None:
    """But for a few that the editor completes."""
    shown = PAGE.read_text() + EDGE.read_text()
    rare = {"imagePullSecrets", "viewers", "supplementalGroups", "command", "timeout", "readOnly"}
    keys = {field.alias or name for model in MODELS for name, field in model.model_fields.items()}
    assert len(keys) > 40
    assert {key for key in keys if not re.search(rf"\b{key}\b", shown)} <= rare


def test_a_chart_that_needs_the_host_is_told_what_to_say(tmp_path: Path) -> None:
    """Its namespace follows from the description, where nobody can put a label."""
    write(tmp_path)
    stack = tmp_path / f"Pulumi.{STACK}.yaml"
    before = "    - name: tides\n      chart:\n        name: tides\n"
    assert before in stack.read_text()
    second = (
        "    - name: watch\n      chart: {name: kube-prometheus-stack, repository: https://charts.example.org, version: 88.5.3}\n"
    )
    stack.write_text(stack.read_text().replace(before, f"{second}      environments: [{{name: live}}]\n{before}"))
    [told] = [one for one in run_program(tmp_path, STACK).findings if one.id == "admission/pod-security"]
    assert told.fix == "what baseline asks for, or podSecurity: privileged of the chart"


def test_an_example_is_short() -> None:
    """A dozen lines or so for each application."""
    lengths = [len(one.splitlines()) for block in examples() for one in re.split(r"\n(?=- name: )", block)]
    assert max(lengths) <= 20
    assert sum(lengths) / len(lengths) <= 14
