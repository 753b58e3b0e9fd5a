"""`./run recover manager` on a running cluster: planned, carried out, cut off and taken up again, and one at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.cluster.api import Json, eventually
from tests.e2e.cluster.description import PROJECT, STACK, Project
from tests.e2e.cluster.fixtures import Need, reference_running
from tests.e2e.cluster.flux import Cluster
from tests.e2e.cluster.stand_ins import registered

pytestmark = pytest.mark.flux
SPACE, LEASE = "longhorn-system", ("coordination.k8s.io/v1", "Lease", "fluxstead-procedure", "kube-system")


@pytest.fixture(scope="module")
def cluster(need: Need) -> Iterator[Cluster]:
    """The reference cluster, up, with a manager on its machine."""
    with reference_running(need, cure_at_once=True) as made:
        project = Project(made.repository.folder)
        made.bootstrap(f"./clusters/{STACK}")
        made.wait_for_layers(project.layers(), made.commit("as it is committed"))
        yield made


def command(cluster: Cluster, *more: str) -> list[str]:
    words = [sys.executable, "-m", "fluxstead.cli", "recover", "manager", "k3s1", "--project", str(cluster.repository.folder)]
    return [*words, "--kubeconfig", str(cluster.control_plane.kubeconfig), *more]


def recover(cluster: Cluster, *more: str) -> tuple[int, str]:
    """Its exit status, and what it said."""
    done = subprocess.run(command(cluster, *more), cwd=PROJECT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def manager(cluster: Cluster) -> Json:
    """The manager's pod, once there is one that is not going."""

    def found() -> Json | None:
        pods = cluster.api.list("v1", "Pod", SPACE)
        managers = [one for one in pods if one["metadata"].get("labels", {}).get("app") == "longhorn-manager"]
        return next((one for one in managers if not one["metadata"].get("deletionTimestamp")), None)

    one: Json = eventually("a manager", 60, found, cluster.report)
    return one


def uid(cluster: Cluster) -> str:
    return str(manager(cluster)["metadata"]["uid"])


def test_a_plan_says_what_would_be_done_and_changes_nothing(cluster: Cluster) -> None:
    before = uid(cluster)
    status, said = recover(cluster, "--plan")
    assert status == 0
    assert f"would be done now: delete pod {SPACE}/{manager(cluster)['metadata']['name']}" in said
    assert uid(cluster) == before
    assert cluster.api.get(*LEASE) is None


def test_the_manager_is_another_one_and_the_lease_is_free(cluster: Cluster) -> None:
    before = uid(cluster)
    status, said = recover(cluster)
    assert status == 0, said
    assert said.endswith("all of it is done\n")
    assert uid(cluster) != before
    lease = cluster.api.get(*LEASE) or {}
    assert not lease["spec"].get("holderIdentity")
    assert "annotations" not in lease["metadata"]


def test_what_stopped_goes_on_from_there_and_nothing_else_begins(cluster: Cluster) -> None:
    """A disk without a UUID, which a restart alone does not cure."""
    cluster.stand_ins.disks = lambda node, disk: None if disk == "sdg1" else registered(node, disk)
    process = subprocess.Popen(command(cluster), cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    seen = iter(process.stdout.readline, "")
    assert any("sdg1 has no UUID yet" in line for line in seen)
    status, said = recover(cluster)
    assert status == 1
    assert "one procedure at a time" in said
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    after = uid(cluster)
    other = ["k3s2" if word == "k3s1" else word for word in command(cluster)]
    refused = subprocess.run(other, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "./run recover manager k3s1 was begun at" in refused.stderr
    cluster.stand_ins.disks = registered
    status, said = recover(cluster)
    assert status == 0, said
    assert uid(cluster) == after, "it is not started anew a second time"
