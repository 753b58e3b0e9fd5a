"""F27: a hand-made layout becomes the generated one on a live cluster, by the task page's two commits; and in one, it does not."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.cluster.api import Json
from tests.e2e.cluster.description import PROJECT, STACK, Project
from tests.e2e.cluster.flux import NAMESPACE, Cluster

PAGE = PROJECT / "docs/tasks/take-over-a-running-cluster.md"
LONGHORN = "longhorn-system"
LOST_SECONDS = 60
pytestmark = pytest.mark.flux
HAND_MADE: dict[str, list[str]] = {
    "infrastructure": ["infrastructure/longhorn/*.yaml", "infrastructure/longhorn-node-*/node-*.yaml"],
    "monitoring": ["monitoring/kube-prometheus-stack/*.yaml"],
}
VOLUME = {
    "apiVersion": "longhorn.io/v1beta2",
    "kind": "Volume",
    "metadata": {"name": "data", "namespace": LONGHORN},
    "spec": {"size": "1073741824", "numberOfReplicas": 2},
}
KEPT = (
    ("v1", "Namespace", LONGHORN, ""),
    ("v1", "Namespace", "monitoring", ""),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease", "longhorn", LONGHORN),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease", "monitoring-kube-prometheus-stack", "monitoring"),
    ("longhorn.io/v1beta2", "Node", "k3s1", LONGHORN),
    ("longhorn.io/v1beta2", "Volume", "data", LONGHORN),
    ("apps/v1", "DaemonSet", "longhorn-manager", LONGHORN),
    ("v1", "PersistentVolumeClaim", "monitoring-kube-prometheus-stack-grafana", "monitoring"),
)


class Takeover:
    """A cluster that runs from a hand-made layout, and the generated tree beside it, not committed yet."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.folder = cluster.repository.folder
        self.project = Project(self.folder)
        self.layers = self.project.layers()
        self._aside = cluster.folder / "not-committed-yet"
        for part in ("generated", "clusters"):
            shutil.move(self.folder / part, self._aside / part)
        self._write_by_hand(self._aside / f"generated/{STACK}")
        cluster.bootstrap(f"./clusters/{STACK}")
        self._come_up()

    def _write_by_hand(self, tree: Path) -> None:
        for name, patterns in HAND_MADE.items():
            objects = [yaml.safe_load(file.read_text()) for pattern in patterns for file in sorted(tree.glob(pattern))]
            for obj in objects:
                obj.get("metadata", {}).get("annotations", {}).clear()
            (self.folder / name).mkdir()
            text = yaml.safe_dump_all([obj for obj in objects if not obj["apiVersion"].startswith("kustomize.config")])
            (self.folder / name / "all.yaml").write_text(text)
            self.write_kustomization(name, {})

    def write_kustomization(self, name: str, more: Json) -> None:
        """One of the old layout's Flux Kustomizations."""
        old = {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "interval": "10m",
                "retryInterval": "5s",
                "path": f"./{name}",
                "prune": True,
                "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
                **more,
            },
        }
        file = self.folder / f"clusters/{STACK}/{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(old))

    def _come_up(self) -> None:
        """As such a cluster came up: the Node after the chart that brings its kind, which one Kustomization cannot order."""
        everything = (self.folder / "infrastructure/all.yaml").read_text()
        without = [obj for obj in yaml.safe_load_all(everything) if obj["kind"] != "Node"]
        (self.folder / "infrastructure/all.yaml").write_text(yaml.safe_dump_all(without))
        self.cluster.commit("by hand, first the chart")
        self.cluster.eventually("Longhorn's class", lambda: self._find("storage.k8s.io/v1", "StorageClass", "longhorn", ""), 120)
        (self.folder / "infrastructure/all.yaml").write_text(everything)
        self.cluster.wait_for_layers(list(HAND_MADE), self.cluster.commit("by hand, then the disks"))
        self.cluster.api.apply(VOLUME)
        self.cluster.eventually("all that must be kept", lambda: None not in self.uids().values(), 120)

    def put_generated(self) -> None:
        """The old directories go, the generated tree comes; in the working copy."""
        for name in HAND_MADE:
            shutil.rmtree(self.folder / name)
        shutil.rmtree(self.folder / "clusters")
        for part in ("generated", "clusters"):
            shutil.copytree(self._aside / part, self.folder / part)

    def uids(self) -> dict[str, str | None]:
        """The UIDs of what must be the same afterwards; None for what is not there, or going."""
        found = {}
        for api_version, kind, name, namespace in KEPT:
            metadata = (self._find(api_version, kind, name, namespace) or {}).get("metadata", {})
            found[f"{kind} {name}"] = None if "deletionTimestamp" in metadata else metadata.get("uid")
        return found

    def _find(self, api_version: str, kind: str, name: str, namespace: str) -> Any:
        return self.cluster.api.get(api_version, kind, name, namespace)


@pytest.fixture
def takeover(cluster: Cluster) -> Takeover:
    """A running hand-made cluster."""
    return Takeover(cluster)


def test_two_commits_keep_every_uid(takeover: Takeover) -> None:
    """The task page, with the very lines and the very look that it says."""
    cluster, before = takeover.cluster, takeover.uids()
    lines, look = blocks(PAGE.read_text())
    for name in HAND_MADE:
        takeover.write_kustomization(name, yaml.safe_load(lines)["spec"])
    cluster.wait_for_layers(list(HAND_MADE), cluster.commit("nothing may be pruned"))
    answer = run_as_page_says(cluster, look)
    assert len(answer) >= 3
    assert all(line.endswith(" disabled") for line in answer), answer

    takeover.put_generated()
    status, said = takeover.project.run("check")
    assert status == 0, said
    everything = {*takeover.layers, "infrastructure", "monitoring", "apps", "flux-system", STACK}
    cluster.wait_for_layers(everything, cluster.commit("the generated tree"))  # what prunes is Ready when it has
    assert takeover.uids() == before
    assert set(cluster.layers()) == everything


def test_one_commit_prunes_what_holds_the_data(takeover: Takeover) -> None:
    """The danger that the page warns of is real: new files that say `prune: disabled` do not help. `check` refuses them."""
    takeover.put_generated()
    status, said = takeover.project.run("check")
    assert status == 1
    assert "moves/" in said
    takeover.cluster.commit("the generated tree, at once")
    end = time.monotonic() + LOST_SECONDS
    while all(takeover.uids().values()):
        assert time.monotonic() < end, "nothing was pruned: the page warns of nothing"
        time.sleep(0.5)


def blocks(page: str) -> tuple[str, str]:
    """The three lines of the first commit, and the commands that look at the live objects."""
    commit = page.split("## Commit 1")[1].split("## Commit 2", maxsplit=1)[0]
    lines, look = re.findall(r"```(?:yaml)?\n(.*?)```", commit, re.DOTALL)
    return lines, look


def run_as_page_says(cluster: Cluster, look: str) -> list[str]:
    """Run the page's commands with the cluster's kubectl; the tests tell Flux of a commit themselves."""
    commands = "\n".join(line for line in look.splitlines() if not line.startswith("flux "))
    done = subprocess.run(
        ["bash", "-euc", f'kubectl() {{ {cluster.control_plane.kubectl_words()} "$@"; }}\n{commands}'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
