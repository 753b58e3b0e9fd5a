"""A described application with a claim, in a cluster whose Longhorn is played, and the commands that restore what it holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from tests.e2e.cluster.api import Json
from tests.e2e.cluster.description import PROJECT

from .played import until
from .played_store.cluster import READ, WRITE, StoredCluster, tree

SPACE, APP = "site-live", "site"
"""An application and its claim are called the same."""
_IMAGE, _TAG = "docker.io/rancher/mirrored-library-busybox", "1.37.0"
_STAYS = "trap 'exit 0' TERM; while true; do sleep 1; done"


class Restored:
    """A project, rendered, and its application in a cluster: what Flux would apply is applied by the tests."""

    def __init__(self, cluster: StoredCluster, folder: Path, *, waits: bool = False) -> None:
        self.cluster = cluster
        self.folder = folder
        (folder / "nodes").mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text("name: home\nruntime: python\n")
        config = {
            "fluxstead:kubernetes": {"version": "v1.33.1+k3s1"},
            "fluxstead:flux": {"version": "2.9.5"},
            "fluxstead:longhorn": {
                "version": "1.12.1",
                "replicas": 1,
                "ui": None,
                "backupTarget": {"url": "s3://backups@us-east-1/", "credentialSecret": "longhorn-backup"},
                "waitForRestore": waits,
            },
            "fluxstead:apps": [
                {
                    "name": APP,
                    "image": _IMAGE,
                    "command": ["sh", "-c", _STAYS],
                    "runAsUser": 65532,
                    "volume": {"size": "1Gi", "mountPath": "/data"},
                    "environments": [{"name": "live", "tag": _TAG}],
                }
            ],
        }
        (folder / "Pulumi.home.yaml").write_text(yaml.safe_dump({"config": config}))
        for machine in cluster.machines:
            disk = {"name": "d1", "serial": "S1", "size": "10Gi", "mountPath": "/mnt/longhorn/d1"}
            said = {"cluster": "home", "address": machine.address, "role": "server", "state": "live", "disks": [disk]}
            (folder / f"nodes/{machine.name}.yaml").write_text(yaml.safe_dump(said))
        for space in ("flux-system", "longhorn-system"):
            cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
        done = self.run("render")
        assert done.returncode == 0, done.stderr

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the project's, to its end."""
        return subprocess.run(self.command(*words), cwd=PROJECT, capture_output=True, text=True, check=False)

    def command(self, *words: str) -> list[str]:
        """`./run …`, for this project and this cluster."""
        whose = ["--project", str(self.folder)]
        way_in = [] if words[0] == "render" else ["--kubeconfig", str(self.cluster.kubeconfig)]
        return [sys.executable, "-m", "fluxstead.cli", *words, *whose, *way_in]

    def apply(self, layer: str) -> None:
        """The objects of a layer, as its files have them, namespaces first."""
        files = (self.folder / "generated/home" / layer).glob("*.yaml")
        found = [yaml.safe_load(file.read_text()) for file in files if file.name != "kustomization.yaml"]
        for obj in sorted(found, key=lambda one: (one["kind"] != "Namespace", one["kind"])):
            self.cluster.api.apply(obj)

    def start(self) -> None:
        """The application, from its layers."""
        self.apply("apps/site-live-access")
        until(lambda: self.cluster.api.get("v1", "ServiceAccount", "default", SPACE))
        self.apply("apps/site-live-workload")
        self.await_running()

    def await_running(self) -> None:
        """Until its pod is ready."""
        until(lambda: [one for one in self.pods() if _is_ready(one)], 120)

    def pods(self) -> list[Json]:
        """Those of the application that are not ending."""
        found = self.cluster.api.list("v1", "Pod", SPACE)
        return [one for one in found if APP in one["metadata"]["name"] and not one["metadata"].get("deletionTimestamp")]

    def inside(self, script: str, seed: str = "") -> str:
        """What a script prints in the application's own pod."""
        self.await_running()
        server, pod = self.cluster.server, self.pods()[0]["metadata"]["name"]
        return server.run(f"k3s kubectl exec -i -n {SPACE} {pod} -- sh -es", f"SEED='{seed}'\n{script}\n")

    def write(self, seed: str) -> dict[str, str]:
        """A tree of files in its claim."""
        return tree(self.inside(f"{WRITE}\n{READ}", seed))

    @property
    def holds(self) -> dict[str, str]:
        """What it reads of its claim: each file's SHA-256 by its path."""
        return tree(self.inside(READ))

    def back_up(self) -> str:
        """Its claim, as a job of Longhorn's does it; the backup's name."""
        made = self.cluster.back_up(APP, SPACE)
        assert made["status"]["state"] == "Completed", made
        return str(made["metadata"]["name"])

    @property
    def volume(self) -> str:
        """That of its claim."""
        found = self.cluster.api.get("v1", "PersistentVolumeClaim", APP, SPACE) or {"spec": {}}
        return str(found["spec"].get("volumeName", ""))

    def policy_of(self, volume: str) -> str:
        """What becomes of a volume when its claim goes."""
        found = self.cluster.api.get("v1", "PersistentVolume", volume)
        return str(found["spec"]["persistentVolumeReclaimPolicy"]) if found else ""


def _is_ready(pod: Json) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
