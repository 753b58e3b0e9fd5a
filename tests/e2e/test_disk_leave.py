"""`./run disk leave` on a running cluster, through Git and Flux: planned, to its end, killed and taken up again, and refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from fluxstead.embedded import run_program
from tests.e2e.cluster.api import Json
from tests.e2e.cluster.copies import REPLICA, Copies
from tests.e2e.cluster.description import PROJECT, STACK, Project
from tests.e2e.cluster.fixtures import NODE, Need, reference_running
from tests.e2e.cluster.flux import Cluster, applied
from tests.e2e.cluster.stand_ins import registered
from tests.e2e.cluster.web import AUTHOR

pytestmark = pytest.mark.flux
SPACE = "longhorn-system"
LEASE = ("coordination.k8s.io/v1", "Lease", "fluxstead-procedure", "kube-system")
ENVIRONMENT = {**os.environ, **AUTHOR}


class Site(NamedTuple):
    """The cluster, and the operator's own clone of what its Flux reads."""

    cluster: Cluster
    clone: Path

    def git(self, *words: str, folder: Path | None = None) -> str:
        """In the clone, or elsewhere."""
        where = ["git", "-C", str(folder or self.clone)]
        return subprocess.run([*where, *words], env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.strip()

    def command(self, *more: str) -> list[str]:
        """What the operator types."""
        words = [sys.executable, "-m", "fluxstead.cli", "disk", "leave", NODE, *more, "--project", str(self.clone)]
        return [*words, "--kubeconfig", str(self.cluster.control_plane.kubeconfig)]

    def leave(self, *more: str) -> tuple[int, str]:
        """Its exit status, and what it said."""
        words = self.command(*more)
        done = subprocess.run(words, cwd=PROJECT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    def node(self) -> Json:
        """Longhorn's Node."""
        found = self.cluster.api.get("longhorn.io/v1beta2", "Node", NODE, SPACE)
        assert found
        return found

    def subjects(self) -> list[str]:
        """The commits that Flux reads, the last one first."""
        return self.git("log", "--format=%s", "main", folder=self.cluster.repository.folder).splitlines()

    @property
    def copies(self) -> Copies:
        """What is on the disks."""
        assert self.cluster.stand_ins.copies
        return self.cluster.stand_ins.copies


@pytest.fixture(scope="module")
def site(need: Need) -> Iterator[Site]:
    """The reference cluster, up, with a volume on each of two disks, and a clone that pushes to what Flux reads."""
    with reference_running(need, cure_at_once=True) as made:
        project = Project(made.repository.folder)
        made.bootstrap(f"./clusters/{STACK}")
        made.wait_for_layers(project.layers(), made.commit("as it is committed"))
        one = Site(made, made.folder / "clone")
        one.git("config", "receive.denyCurrentBranch", "ignore", folder=made.repository.folder)
        one.git("clone", "--quiet", str(made.repository.folder), str(one.clone), folder=made.folder)
        copies = Copies(made.api)
        for number, disk in enumerate(("sdf1", "sdg1", "sdg1")):
            copies.volume(f"pvc-{number}", NODE, uuid(disk))
        made.stand_ins.copies = copies
        made.eventually("what is on a disk", lambda: one.node()["status"]["diskStatus"]["sdg1"].get("storageScheduled"))
        yield one


def uuid(disk: str) -> str:
    """As its manager has it."""
    seen = registered(NODE, disk)
    assert seen
    return seen.uuid


def on(site: Site, disk: str) -> list[str]:
    """The volumes with a copy there."""
    return sorted(
        one["spec"]["volumeName"] for one in site.cluster.api.list(*REPLICA, SPACE) if one["spec"]["diskID"] == uuid(disk)
    )


def test_a_plan_says_what_would_be_done_and_changes_nothing(site: Site) -> None:
    status, said = site.leave("sdg1", "--plan")
    assert status == 0, said
    assert "what is on sdg1 of k3s1 has somewhere to go: is so already: 2 copies can be placed elsewhere" in said
    assert "would be done now: write it into nodes/k3s1.yaml, render, and commit that" in said
    assert site.subjects() == ["as it is committed"]
    assert site.cluster.api.get(*LEASE) is None
    assert site.git("status", "--porcelain") == ""


def test_a_disk_leaves_and_what_was_on_it_is_elsewhere(site: Site) -> None:
    (site.clone / "notes.txt").write_text("mine\n")
    status, said = site.leave("sdg1")
    assert status == 0, said
    assert said.endswith("all of it is done\n")
    assert "2 of 2 are left: volume pvc-1, volume pvc-2" in said or "1 of 2 are left" in said
    assert "on k3s1, /mnt/longhorn/sdg1 is still mounted and in /etc/fstab" in said
    assert site.subjects() == ["k3s1: take out disk sdg1", "k3s1: empty disk sdg1", "as it is committed"]
    assert sorted(site.node()["spec"]["disks"]) == ["sdf1", "sdh1"]
    assert sorted(site.node()["status"]["diskStatus"]) == ["sdf1", "sdh1"]
    assert on(site, "sdg1") == []
    assert sorted(on(site, "sdf1") + on(site, "sdh1")) == ["pvc-0", "pvc-1", "pvc-2"]
    assert applied(site.cluster.layers()[f"longhorn-node-{NODE}"]).endswith(site.git("rev-parse", "HEAD"))
    assert site.git("status", "--porcelain") == "?? notes.txt"
    lease = site.cluster.api.get(*LEASE) or {}
    assert "annotations" not in lease["metadata"]


def test_killed_while_it_is_emptied_it_goes_on_and_waits_for_who_pushed_meanwhile(site: Site) -> None:
    site.copies.moves = False
    process = subprocess.Popen(site.command("sdf1"), cwd=PROJECT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert any("are left: volume pvc-0" in line for line in iter(process.stdout.readline, ""))
    process.kill()
    process.wait(30)
    assert site.node()["spec"]["disks"]["sdf1"]["evictionRequested"]
    assert not site.node()["spec"]["disks"]["sdf1"]["allowScheduling"]
    colleague = site.cluster.folder / "colleague"
    site.git("clone", "--quiet", str(site.cluster.repository.folder), str(colleague), folder=site.cluster.folder)
    site.git("commit", "--quiet", "--allow-empty", "--message=theirs", folder=colleague)
    site.git("push", "--quiet", folder=colleague)
    site.copies.moves = True
    status, said = site.leave("sdf1")
    assert status == 1
    assert "origin/main has 1 commit that this clone does not have" in said
    assert "type: git pull --ff-only" in said
    assert on(site, "sdf1") == []
    assert "sdf1" in site.node()["spec"]["disks"]
    site.git("pull", "--quiet", "--ff-only")
    status, said = site.leave("sdf1")
    assert status == 0, said
    assert site.subjects()[:3] == ["k3s1: take out disk sdf1", "theirs", "k3s1: empty disk sdf1"]
    assert list(site.node()["spec"]["disks"]) == ["sdh1"]
    assert on(site, "sdh1") == ["pvc-0", "pvc-1", "pvc-2"]


def test_the_last_disk_stays_and_nothing_is_begun(site: Site) -> None:
    before = site.subjects()
    status, said = site.leave("sdh1")
    assert status == 1
    assert "it is the last disk of k3s1" in said
    assert "annotations" not in (site.cluster.api.get(*LEASE) or {})["metadata"]
    assert site.subjects() == before


def test_flux_is_not_held_back_by_any_of_it(site: Site) -> None:
    """Every layer of the tree is where the last commit is."""
    assembled = run_program(site.clone, STACK).assembled
    assert assembled
    names = [layer.name for layer in assembled.tree.order.layers]
    site.cluster.wait_for_layers(names, f"main@sha1:{site.git('rev-parse', 'HEAD')}")
