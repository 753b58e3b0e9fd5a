"""`./run doctor` on a running cluster: nothing on a healthy one, and each trouble once, at its root."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster.api import eventually
from tests.e2e.cluster.charts import UNRENDERED
from tests.e2e.cluster.description import PROJECT, Project
from tests.e2e.cluster.fixtures import Need, reference_running
from tests.e2e.cluster.flux import Cluster
from tests.e2e.cluster.relay import relaying
from tests.e2e.cluster.report import KUSTOMIZATION
from tests.e2e.cluster.stand_ins import Disk, registered
from tests.e2e.doctor.stage import begin

pytestmark = pytest.mark.flux
WATCH = """
import signal, sys
from fluxstead.cli import __main__, doctor
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests are a shell's job in the background
doctor._WATCH_SECONDS = 1
sys.exit(__main__.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def cluster(need: Need) -> Iterator[Cluster]:
    """The reference cluster, up."""
    with reference_running(need, cure_at_once=True) as made:
        yield made


@pytest.fixture(scope="module")
def project(cluster: Cluster) -> Project:
    """Its description, as it is committed."""
    return begin(cluster)


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


def reached_by(cluster: Cluster, folder: Path, old: str, new: str) -> Path:
    """The cluster's kubeconfig, with something else in it."""
    text, kubeconfig = cluster.control_plane.kubeconfig.read_text(), folder / "kubeconfig"
    assert re.search(old, text)
    kubeconfig.write_text(re.sub(old, new, text))
    return kubeconfig


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
    stranger = reached_by(cluster, tmp_path, r"token: \S+", "token: nobody")
    status, said = doctor(cluster, project, "--kubeconfig", str(stranger))
    assert status == 1
    assert "does not let this kubeconfig in" in said
    assert "./run kubeconfig" in said


def test_whoever_may_read_nothing_is_told_so_once(cluster: Cluster, project: Project, tmp_path: Path) -> None:
    """An account without any right: the API knows it, and answers 403 to everything."""
    api, account = cluster.api, {"name": "stranger", "namespace": "default"}
    api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = api.ask("POST", "/api/v1/namespaces/default/serviceaccounts/stranger/token", asked)["status"]["token"]
    kubeconfig = reached_by(cluster, tmp_path, r"token: \S+", f"token: {token}")
    status, said = doctor(cluster, project, "--kubeconfig", str(kubeconfig))
    assert status == 1
    assert "does not let this kubeconfig in" in said
    assert 'is forbidden: User "system:serviceaccount:default:stranger" cannot list resource' in said
    assert "whether anything is wrong with them is not known" in said
    assert said.endswith("\n1 thing wrong\n"), said


def test_a_watch_goes_on_over_an_api_that_ends_in_the_middle_of_a_look(cluster: Cluster, project: Project, tmp_path: Path) -> None:
    """It says what it lost, then that nobody answers, and of the API that came back what it said before."""
    port = cluster.control_plane.port
    with relaying(port) as relay, (tmp_path / "said").open("w+") as said, (tmp_path / "errors").open("w+") as errors:
        kubeconfig = reached_by(cluster, tmp_path, f":{port}", f":{relay.port}")
        command = [sys.executable, "-c", WATCH, "doctor", "--no-hosts", "--project", str(project.folder), "--watch"]
        command += ["--kubeconfig", str(kubeconfig)]
        watching = subprocess.Popen(command, cwd=PROJECT, stdout=said, stderr=errors, text=True)

        def shown(words: str) -> None:
            """In what is printed from now on."""
            begin = os.fstat(said.fileno()).st_size

            def now() -> str:
                return (tmp_path / "said").read_text()[begin:]

            eventually(
                f"the watch says {words}", 30, lambda: words in now(), lambda: f"{now()}\n{(tmp_path / 'errors').read_text()}"
            )

        try:
            shown("nothing is wrong")
            relay.end_after(100_000)
            shown("gives no answer")
            assert relay.ended
            shown("cannot be asked: the API at")
            relay.begin()
            shown("nothing is wrong")
            watching.send_signal(signal.SIGINT)
            assert watching.wait(30) == 0
        finally:
            watching.kill()
            watching.wait()
        beside = (tmp_path / "errors").read_text()
        assert "Traceback" not in beside
        assert beside.endswith("fluxstead: not watched any more\n")
        looks = (tmp_path / "said").read_text().split("k3s-flux: ")
        [cut_off] = [look for look in looks if "API for " in look]
        assert cut_off.count("because:") == 1, "of what was not seen nothing is made up"


def test_an_api_that_is_gone_is_said_in_words(cluster: Cluster, project: Project) -> None:
    """The last test here: nobody answers afterwards."""
    cluster.processes.end("kube-apiserver")
    status, said = doctor(cluster, project)
    assert status == 1
    assert "gives no answer" in said
