"""All that a first `pulumi up` meets: bare machines, a Git server, the operator's own folder; and what is played in the cluster."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import yaml

from fluxstead.hosts.kubeconfig import put_right
from fluxstead.secrets.tools import sops_binary
from tests.e2e.cluster.api import Api, Json, RefusedError, api_of
from tests.e2e.cluster.charts import serve_charts
from tests.e2e.cluster.flux import CONTROLLERS, local_charts
from tests.e2e.cluster.stand_ins import StandIns
from tests.e2e.cluster.web import AUTHOR, files_of, git_of, serving
from tests.e2e.engine import Engine
from tests.e2e.tools.build import tool

from .fixtures import Site
from .images import image_tar
from .packing import stand_in_binary
from .spawned import SpawnedMachine

VERSION, CLUSTER, PROJECT = "v1.33.1+k3s1", "home", "home"
DISKS = "k3s9"
"""A machine that is played, because machines in containers have no disks: a Node that nobody runs, and Longhorn's disk on it."""
PLAYED = (
    f"{DISKS}, the machine with the disk; Longhorn's managers and its driver deployer; CoreDNS (Flux's pods know one address by"
    " hostAliases); the programs of miniature charts"
)
SOURCE = "source-controller.flux-system.svc.cluster.local"
SOURCE_IP = "10.43.0.50"
UP = ("up", "--yes", "--skip-preview")
WEB = "registry.example.test/web:1.0.0"
LONGHORN = tuple(f"example.test/{name}:1" for name in ("longhorn-manager", "longhorn-driver-deployer", "longhorn-ui"))
FLAGS = ["feature-gates=MutatingAdmissionPolicy=true", "runtime-config=admissionregistration.k8s.io/v1beta1=true"]
"""For the policy by which the tests' API server takes charts from the tests."""


class Operator:
    """Whoever describes the machines: a project in a folder of their own, and what they type."""

    def __init__(self, site: Site, scratch: Path, git: str) -> None:
        self.engine = Engine(scratch, PROJECT, CLUSTER)
        self.engine.count()
        self.folder = self.engine.project
        self.kubeconfig = self.engine.home / f".kube/fluxstead-{CLUSTER}.yaml"
        (self.folder / "nodes").mkdir(parents=True)
        program = {"name": "fluxstead", "main": "..", "runtime": "python"}
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program, sort_keys=False))
        self._binaries(site)
        self._describe(git)
        self.played()

    def _binaries(self, site: Site) -> None:
        made = self.folder / "binaries"
        made.mkdir()
        shutil.copy(stand_in_binary(VERSION, site.home), made / "k3s")
        self.digest = hashlib.sha256((made / "k3s").read_bytes()).hexdigest()
        (self.folder / ".gitignore").write_text("/binaries/\n")

    def add_images(self) -> None:
        """Beside the binary lies what its machines would pull: Flux's own programs, and one that answers in place of all others."""
        text = (self.folder / f"clusters/{CLUSTER}/flux-system/gotk-components.yaml").read_text()
        images = re.findall(r"image: (\S+)", text)
        flux = {image: tool(image.rpartition("/")[2].partition(":")[0]) for image in images}
        (self.folder / "binaries/k3s-airgap-images-amd64.tar").write_bytes(image_tar([*LONGHORN, WEB], flux))

    def _describe(self, git: str) -> None:
        alias = [{"op": "add", "path": "/spec/template/spec/hostAliases", "value": [{"ip": SOURCE_IP, "hostnames": [SOURCE]}]}]
        address = [{"op": "add", "path": "/spec/clusterIP", "value": SOURCE_IP}]
        patches = [
            {"target": {"kind": "Deployment", "name": "(kustomize|helm)-controller"}, "patch": yaml.safe_dump(alias)},
            {"target": {"kind": "Service", "name": "source-controller"}, "patch": yaml.safe_dump(address)},
        ]
        probes = {"readiness": "/", "liveness": "/"}
        app = {
            "name": "web",
            "image": WEB.partition(":")[0],
            "port": 8080,
            "env": {"PORT": "8080"},
            "probes": probes,
            "runAsUser": 1000,
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
            "environments": [{"name": "live", "tag": WEB.rpartition(":")[2], "replicas": 2}],
        }
        config: dict[str, Any] = {
            "flux": {"version": "2.9.5", "repository": git, "components": list(CONTROLLERS), "patches": patches},
            "kubernetes": {
                "version": VERSION,
                "disable": ["traefik", "servicelb", "local-storage"],
                "config": {"kube-apiserver-arg": FLAGS},
                "binaries": {"amd64": self.digest},
                "binariesFrom": "binaries",
            },
            "longhorn": {"version": "1.12.1", "replicas": 1, "ui": None},
            "apps": [app],
        }
        text = yaml.safe_dump({"config": {f"fluxstead:{key}": value for key, value in config.items()}}, sort_keys=False)
        (self.folder / f"Pulumi.{CLUSTER}.yaml").write_text(text)

    def played(self) -> None:
        """Describe the machine with the disk, which nobody dials."""
        disk = {"name": "d1", "serial": "PLAYED-1", "size": "10Gi", "mountPath": "/mnt/longhorn/d1"}
        taint = {"key": "played", "effect": "NoSchedule"}
        said = {"cluster": CLUSTER, "address": "10.87.0.99", "role": "agent", "state": "live", "disks": [disk], "taints": [taint]}
        (self.folder / f"nodes/{DISKS}.yaml").write_text(yaml.safe_dump(said, sort_keys=False))

    def add(self, machine: SpawnedMachine, role: str) -> None:
        """Write one machine's file."""
        ssh = {"user": machine.user, "hostKey": machine.host_key, "privateKeyFile": str(machine.key)}
        said = {"cluster": CLUSTER, "address": machine.address, "role": role, "state": "live", "ssh": ssh}
        (self.folder / f"nodes/{machine.name}.yaml").write_text(yaml.safe_dump(said, sort_keys=False))

    def run(self, *words: str) -> str:
        """`./run WORDS`, which must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "fluxstead.cli", *words, "--project", str(self.folder)],
            cwd=self.engine.checkout,
            env={"PATH": f"{tool('flux').parent}:{os.defpath}", "HOME": str(self.engine.home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"./run {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def describe_what_a_cluster_begins_with(self) -> None:
        """What the README has an operator type before the first `pulumi up`."""
        self.run("upgrade", "flux")
        self.add_images()
        self.run("secrets", "init")
        self.run("secrets", "set", "k3s-token", "--generate")
        self.run("render")
        self.push()

    def push(self) -> None:
        """Commit all; the server serves it at once."""
        for words in (["add", "--all"], ["commit", "--quiet", "--message", "the tree"]):
            self._git(*words)

    @property
    def head(self) -> str:
        """The last commit."""
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *words: str) -> str:
        environment = {"PATH": os.environ["PATH"], **AUTHOR}
        return subprocess.run(["git", *words], cwd=self.folder, env=environment, check=True, capture_output=True, text=True).stdout

    def layers(self) -> list[Json]:
        """Flux's Kustomizations."""
        found: list[Json] = self.kubectl("get", "kustomizations.kustomize.toolkit.fluxcd.io", "-A")["items"]
        return found

    def secret(self, name: str) -> dict[str, str]:
        """A secret of the operator's, decrypted by their own key."""
        file = self.folder / f"secrets/{CLUSTER}/operator/{name}.sops.yaml"
        environment = {"PATH": os.defpath, "HOME": str(self.engine.home)}
        command = [sops_binary(), "decrypt", "--output-type", "json", str(file)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found: dict[str, str] = json.loads(done.stdout)["stringData"]
        return found

    def eventually(self, holds: Callable[[], bool], seconds: float = 180) -> None:
        """Wait until this is so."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.layers()
            time.sleep(1)

    def kubectl(self, *words: str) -> Any:
        """`kubectl WORDS -o json` with the operator's kubeconfig."""
        command = [str(tool("kubectl")), "--kubeconfig", str(self.kubeconfig), *words, "-o", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class Played:
    """What no machine of the tests runs, from the moment the API answers: see PLAYED."""

    def __init__(self, server: SpawnedMachine, home: Path, charts: str) -> None:
        self._server, self._home, self._charts = server, home, charts
        self._stop = Event()
        self._stand_ins: StandIns | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)
        if self._stand_ins:
            self._stand_ins.stop()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            if self._server.try_to("test -s /etc/rancher/k3s/k3s.yaml && k3s kubectl get --raw /readyz").returncode == 0:
                break
        else:
            return
        api = self._administrator()
        for one in local_charts(self._charts):
            _until_taken(api, one)
        _until_taken(api, _node())
        self._stand_ins = StandIns(api, _NoWebhooks())  # type: ignore[arg-type]
        self._stand_ins.start()

    def _administrator(self) -> Api:
        own = self._server.run("cat /etc/rancher/k3s/k3s.yaml")
        return api_of(yaml.safe_load(put_right(own, CLUSTER, f"https://{self._server.address}:6443")))


class _NoWebhooks:
    """The pods of this cluster register none."""

    def longhorn(self, *, serves: bool) -> None:
        del serves

    def answer(self) -> None:
        pass

    def stop(self) -> None:
        pass


def _until_taken(api: Api, obj: Json) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            api.create(obj)
        except RefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
        else:
            return


def _node() -> Json:
    metadata = {"name": DISKS, "labels": {"kubernetes.io/hostname": DISKS}}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": {"taints": [{"key": "played", "effect": "NoSchedule"}]},
    }


@contextmanager
def operator(site: Site, machines: Sequence[SpawnedMachine]) -> Iterator[Operator]:
    """Somebody with these bare machines, the first of which is to be the server, and a Git server that serves their folder."""
    with ExitStack() as ends:
        scratch = site.home / "operator"
        scratch.mkdir()
        charts = site.home / "charts"
        serve_charts(charts, [("longhorn", "1.12.1")])
        here = site.network.address
        chart_port = ends.enter_context(serving(files_of(charts), (here, 0)))
        git_port = ends.enter_context(serving(git_of(scratch / "checkout"), (here, 0)))
        one = Operator(site, scratch, f"http://{here}:{git_port}/{PROJECT}/.git")
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=one.folder, check=True)
        played = Played(machines[0], site.home, f"http://{here}:{chart_port}/")
        ends.callback(played.stop)
        for number, machine in enumerate(machines):
            one.add(machine, "agent" if number else "server")
        yield one
