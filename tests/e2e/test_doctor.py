"""`./run doctor` on a running cluster: nothing on a healthy one, and each trouble once, at its root."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster.api import Json, eventually
from tests.e2e.cluster.charts import UNRENDERED
from tests.e2e.cluster.description import PROJECT, STACK, Project
from tests.e2e.cluster.fixtures import Need, reference_running
from tests.e2e.cluster.flux import Cluster
from tests.e2e.cluster.report import KUSTOMIZATION
from tests.e2e.cluster.stand_ins import Disk, registered

pytestmark = pytest.mark.flux


@pytest.fixture(scope="module")
def cluster(need: Need) -> Iterator[Cluster]:
    """The reference cluster, up."""
    with reference_running(need, cure_at_once=True) as made:
        yield made


@pytest.fixture(scope="module")
def project(cluster: Cluster) -> Project:
    """Its description, as it is committed; certificates are said to be there, since nothing issues any here."""
    made = Project(cluster.repository.folder)
    cluster.bootstrap(f"./clusters/{STACK}")
    cluster.wait_for_layers(made.layers(), cluster.commit("as it is committed"))
    issued = {"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    for one in cluster.api.list("cert-manager.io/v1", "Certificate"):
        place = one["metadata"]
        change: Json = {"status": {"conditions": [issued]}}
        cluster.api.patch("cert-manager.io/v1", "Certificate", place["name"], change, namespace=place["namespace"], part="/status")
    return made


def doctor(cluster: Cluster, project: Project, *more: str) -> tuple[int, str]:
    """Its exit status, and what it printed."""
    command = [sys.executable, "-m", "fluxstead.cli", "doctor", "--no-hosts", "--project", str(project.folder)]
    command += ["--kubeconfig", str(cluster.control_plane.kubeconfig), *more]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def wrong(cluster: Cluster, project: Project) -> list[dict[str, Any]]:
    """What it says, as data."""
    found: list[dict[str, Any]] = json.loads(doctor(cluster, project, "--format", "json")[1])["wrong"]
    return found


def subjects(found: list[dict[str, Any]]) -> list[str]:
    return [f"{one['kind']} {one['name']}" for one in found]


def seen(cluster: Cluster, project: Project, subject: str, words: str) -> dict[str, Any]:
    """The one thing that is wrong, once it is this and nothing else."""

    def alone() -> dict[str, Any] | None:
        found = wrong(cluster, project)
        return found[0] if subjects(found) == [subject] and words in found[0]["says"] else None

    one: dict[str, Any] = eventually(f"{subject} alone", 90, alone, lambda: doctor(cluster, project, "--all")[1])
    return one


def test_of_a_healthy_cluster_it_says_nothing(cluster: Cluster, project: Project) -> None:
    """Exit status 0."""
    eventually("all pods run", 60, lambda: not wrong(cluster, project), lambda: doctor(cluster, project)[1])
    status, said = doctor(cluster, project)
    assert said.endswith("nothing is wrong\n"), said
    assert status == 0


def test_a_disk_that_lost_its_uuid_is_named_while_everything_is_ready(cluster: Cluster, project: Project) -> None:
    """F15: Flux looks at the gate once, and says nothing of it any more."""
    cluster.stand_ins.disks = lambda node, disk: Disk("") if disk == "sdg1" else registered(node, disk)
    try:
        one = seen(cluster, project, "disk sdg1 of k3s1", "has no UUID")
        assert "longhorn-disk.cfg" in one["do"]
        status, said = doctor(cluster, project)
        assert status == 1
        assert "page:    docs/tasks/longhorn-disk-cfg.md" in said
    finally:
        cluster.stand_ins.disks = registered
    eventually("it is healthy again", 60, lambda: not wrong(cluster, project), lambda: doctor(cluster, project)[1])


def test_a_release_that_cannot_be_rendered_is_the_root_of_what_waits_for_it(cluster: Cluster, project: Project) -> None:
    """F17: its own words, and the layers below it as what follows."""
    project.replace(project.stack_file.name, "version: 1.9.2", "version: 1.9.3")
    project.render()
    cluster.commit("a Longhorn that is not for this cluster")
    one = seen(cluster, project, "release longhorn-system/longhorn", UNRENDERED)
    assert "layer longhorn" in subjects(one["explains"])
    cluster.repository.revert()
    revision = cluster.commit("the former one, since nothing of it ever started")
    cluster.wait_for_layers(project.layers(), revision)
    eventually("it is healthy again", 90, lambda: not wrong(cluster, project), lambda: doctor(cluster, project)[1])


def test_two_troubles_are_two(cluster: Cluster, project: Project) -> None:
    """A layer that somebody suspended, and a machine that somebody cordoned; in words, and as GitHub shows them."""
    cluster.api.patch(*KUSTOMIZATION, "dns", {"spec": {"suspend": True}}, namespace="flux-system")
    cluster.api.patch("v1", "Node", "k3s1", {"spec": {"unschedulable": True}})
    try:
        wanted = ["layer dns", "machine k3s1"]
        eventually("both", 60, lambda: sorted(subjects(wrong(cluster, project))) == wanted, lambda: doctor(cluster, project)[1])
        status, said = doctor(cluster, project, "--format", "github")
        assert said.count("::warning title=") == 2
        assert status == 0, "both are as somebody wanted them"
        brief = doctor(cluster, project, "--brief")[1]
        assert [line.split()[0] for line in brief.splitlines()[1:4]] == ["machines", "layers", "volumes"]
        assert len(brief.splitlines()) == 7
    finally:
        cluster.api.patch(*KUSTOMIZATION, "dns", {"spec": {"suspend": False}}, namespace="flux-system")
        cluster.api.patch("v1", "Node", "k3s1", {"spec": {"unschedulable": False}})


def test_a_kubeconfig_that_is_not_let_in_is_said_in_words(cluster: Cluster, project: Project, tmp_path: Path) -> None:
    """And nothing is made up of what it did not see."""
    stranger = tmp_path / "kubeconfig"
    text = cluster.control_plane.kubeconfig.read_text()
    stranger.write_text(re.sub(r"token: \S+", "token: nobody", text))
    status, said = doctor(cluster, project, "--kubeconfig", str(stranger))
    assert status == 1
    assert "does not let this kubeconfig in" in said
    assert "./run kubeconfig" in said


def test_an_api_that_is_gone_is_said_in_words(cluster: Cluster, project: Project) -> None:
    """The last test here: nobody answers afterwards."""
    cluster.processes.end("kube-apiserver")
    status, said = doctor(cluster, project)
    assert status == 1
    assert "gives no answer" in said
