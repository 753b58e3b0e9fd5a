"""`./run doctor` on a running cluster: nothing on a healthy one, and each trouble once, at its root."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cluster.description import PROJECT, STACK, Project
from tests.e2e.cluster.fixtures import Need, reference_running
from tests.e2e.cluster.flux import Cluster

pytestmark = pytest.mark.flux
LONGHORN = ("longhorn.io/v1beta2", "Node")


@pytest.fixture(scope="module")
def cluster(need: Need) -> Iterator[Cluster]:
    """The reference cluster, up."""
    with reference_running(need, cure_at_once=True) as made:
        yield made


@pytest.fixture(scope="module")
def project(cluster: Cluster) -> Project:
    """Its description, as it is committed."""
    made = Project(cluster.repository.folder)
    cluster.bootstrap(f"./clusters/{STACK}")
    cluster.wait_for_layers(made.layers(), cluster.commit("as it is committed"))
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


def test_of_a_healthy_cluster_it_says_nothing(cluster: Cluster, project: Project) -> None:
    """Exit status 0."""
    status, said = doctor(cluster, project)
    assert said.endswith("nothing is wrong\n"), said
    assert status == 0
