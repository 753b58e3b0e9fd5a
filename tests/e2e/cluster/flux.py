"""Flux's own controllers on that Kubernetes, and what they fetch: the tests' Git server and chart server."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import yaml

from fluxstead.catalog.brings import k3s_brings
from fluxstead.core.version import Version
from tests.e2e.cluster import control_plane
from tests.e2e.cluster.admission import Admission
from tests.e2e.cluster.api import Json, RefusedError, eventually, is_ready
from tests.e2e.cluster.charts import serve_charts
from tests.e2e.cluster.control_plane import ControlPlane, answers
from tests.e2e.cluster.crds import k3s_crds
from tests.e2e.cluster.processes import Processes
from tests.e2e.cluster.report import KUSTOMIZATION, RELEASE, SOURCE, claims, conditions, warnings, workloads
from tests.e2e.cluster.stand_ins import StandIns
from tests.e2e.cluster.web import Repository, files_of, git_of, serving
from tests.e2e.isolation import free_port, scratch

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
TOOLS = (*control_plane.TOOLS, *CONTROLLERS)
NAMESPACE = "flux-system"


class Cluster:
    """A Kubernetes with Flux that reconciles the commits of one repository."""

    def __init__(self, folder: Path, tools: Mapping[str, Path], cure_at_once: bool, step: str = "2s") -> None:
        (folder / "logs").mkdir()
        self.folder = folder
        self.processes = Processes(folder / "logs")
        self.control_plane = ControlPlane(folder, self.processes, tools)
        self.api = self.control_plane.api
        self.stand_ins = StandIns(self.api, Admission(self.control_plane))
        self.repository = Repository(folder / "git" / "cluster")
        self.charts = serve_charts(folder / "charts")
        self._tools = tools
        self._cure_at_once, self._step = cure_at_once, step

    def start(self, git: int, charts: int) -> None:
        """Start everything, with nothing to reconcile yet."""
        self.control_plane.start()
        self._define()
        self._redirect(charts)
        for name in CONTROLLERS:
            self._start_controller(name)
        self._git = f"http://127.0.0.1:{git}/cluster/.git"
        self.stand_ins.start()

    def stop(self) -> None:
        """Stop everything that was started."""
        self.stand_ins.stop()
        self.processes.stop()

    def bootstrap(self, path: str) -> None:
        """What `flux bootstrap` leaves in a cluster: the source, and a Kustomization of the cluster's folder."""
        self.api.apply(
            {
                "apiVersion": SOURCE[0],
                "kind": SOURCE[1],
                "metadata": {"name": "flux-system", "namespace": NAMESPACE},
                "spec": {"interval": "1m", "url": self._git, "ref": {"branch": "main"}},
            }
        )
        self.api.apply(
            {
                "apiVersion": KUSTOMIZATION[0],
                "kind": KUSTOMIZATION[1],
                "metadata": {"name": "flux-system", "namespace": NAMESPACE},
                "spec": {
                    "interval": "10m",
                    "path": path,
                    "prune": True,
                    "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
                },
            }
        )

    def as_k3s(self, described: Json) -> None:
        """What k3s brings before Flux does anything: its kinds, and the classes of its storage and of its Traefik."""
        disabled, version = described.get("disable", []), Version(described["version"])
        for definition in k3s_crds(disabled, version):
            self.api.create(definition)
        brought = k3s_brings(disabled, version)
        for name in sorted(brought.storage_classes):
            default = str(name == brought.default_storage_class).lower()
            self.api.create(
                {
                    "apiVersion": "storage.k8s.io/v1",
                    "kind": "StorageClass",
                    "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default}},
                    "provisioner": "rancher.io/local-path",
                    "volumeBindingMode": "WaitForFirstConsumer",
                }
            )
        for name in sorted(brought.ingress_classes):
            controller = {"controller": f"{name}.io/ingress-controller"}
            self.api.create(
                {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name}, "spec": controller}
            )

    def hand_over_key(self, secret: str, *keys: str) -> None:
        """The private keys by which Flux decrypts, as the operator applies them; those that were there before are gone."""
        metadata = {"name": secret, "namespace": NAMESPACE}
        data = {f"age-{number}.agekey": base64.b64encode(key.encode()).decode() for number, key in enumerate(keys)}
        self.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})

    def commit(self, message: str) -> str:
        """Commit the working copy and let Flux fetch it now, as a webhook would; gives the revision."""
        revision = self.repository.commit(message)
        if self.api.get(*SOURCE, "flux-system", NAMESPACE):
            self.reconcile(*SOURCE, "flux-system", NAMESPACE)
        return revision

    def reconcile(self, api_version: str, kind: str, name: str, namespace: str) -> None:
        """What `flux reconcile` asks for."""
        asked = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": str(time.time_ns())}}}
        self.api.patch(api_version, kind, name, asked, namespace=namespace)

    def layers(self) -> dict[str, Json]:
        """All Flux Kustomizations by name."""
        return {one["metadata"]["name"]: one for one in self.api.list(*KUSTOMIZATION, NAMESPACE)}

    def release(self, name: str, namespace: str) -> Json | None:
        """A HelmRelease."""
        return self.api.get(*RELEASE, name, namespace)

    def wait_for_layers(self, names: Collection[str], revision: str, seconds: float = 180) -> None:
        """Wait until these layers are Ready at a revision."""

        def missing() -> list[str]:
            layers = self.layers()
            return [name for name in names if not is_ready(layers.get(name)) or applied(layers[name]) != revision]

        eventually(f"{', '.join(names)} Ready at {revision}", seconds, lambda: not missing(), self.report)

    @contextmanager
    def recording(self) -> Iterator[list[str]]:
        """The names of the Flux Kustomizations in the order in which they become Ready for the first time."""
        order: list[str] = []

        def see(state: Json) -> None:
            name = state["metadata"]["name"]
            if is_ready(state) and applied(state) and name not in order:
                order.append(name)

        with self.api.watching(*KUSTOMIZATION, NAMESPACE, see):
            yield order

    def eventually(self, what: str, question: Callable[[], Any], seconds: float = 60) -> Any:
        """Ask until the answer is true, and give it."""
        return eventually(what, seconds, question, self.report)

    def report(self) -> str:
        """What a person would look at first, as far as there is still somebody who answers."""
        lines = ["charts: " + self.charts]
        try:
            lines += [line for part in (conditions, workloads, claims, warnings) for line in part(self.api)]
        except (OSError, HTTPException, RefusedError) as problem:
            lines += [f"the API server's answer: {problem}; its last lines:", self.processes.tail("kube-apiserver", 5)]
        return "\n".join([*lines, *self.processes.errors(), *self.stand_ins.report()])

    def _define(self) -> None:
        self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for name in CONTROLLERS:
            for file in sorted(self._tools[name].parent.glob("*.yaml")):
                for definition in yaml.safe_load_all(file.read_text()):
                    definition.pop("status", None)
                    self.api.create(definition)

    def _redirect(self, charts: int) -> None:
        """The API server takes chart repositories to the local server; each host there has its own charts only."""
        for one in local_charts(f"http://127.0.0.1:{charts}/"):
            self.api.create(one)
        probe = {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "HelmRepository",
            "metadata": {"name": "probe", "namespace": NAMESPACE},
            "spec": {"url": "https://example.test", "interval": "1h"},
        }

        def redirected() -> bool:
            try:
                url: str = self.api.apply(probe, dry_run=True)["spec"]["url"]
            except RefusedError:
                return False  # the policy is there, and the new kinds are not known to it yet
            return url.startswith("http://127.0.0.1")

        eventually("the API server rewrites URLs", 30, redirected, str)

    def _start_controller(self, name: str) -> None:
        health, storage = free_port(), free_port()
        arguments: list[str | Path] = [
            self._tools[name],
            "--watch-all-namespaces",
            "--enable-leader-election=false",
            f"--health-addr=127.0.0.1:{health}",
            f"--metrics-addr=127.0.0.1:{free_port()}",
            "--events-addr=",
            "--interval-jitter-percentage=0",
            "--log-encoding=json",
        ]
        if name == "source-controller":
            arguments += [
                f"--storage-path={self.folder / 'sources'}",
                f"--storage-addr=127.0.0.1:{storage}",
                f"--storage-adv-addr=127.0.0.1:{storage}",
            ]
            (self.folder / "sources").mkdir()
        else:
            arguments.append(f"--requeue-dependency={self._step}")  # else 30 s for each step of the order
        if name == "kustomize-controller" and self._cure_at_once:
            arguments.append("--feature-gates=CancelHealthCheckOnNewRevision=true")
        if name == "helm-controller":
            arguments.append("--graceful-shutdown-timeout=5s")
        temporary = self.folder / f"{name}-tmp"
        temporary.mkdir()
        environment = {
            "KUBECONFIG": str(self.control_plane.kubeconfig),
            "RUNTIME_NAMESPACE": NAMESPACE,
            "TMPDIR": str(temporary),
            "HOME": str(temporary),
        }
        self.processes.start(name, arguments, environment)
        self.processes.wait(name, lambda: answers(f"http://127.0.0.1:{health}/readyz"))


def applied(layer: Json) -> str:
    """The revision that a layer applied last."""
    return str(layer.get("status", {}).get("lastAppliedRevision", ""))


@contextmanager
def running(tools: Mapping[str, Path], *, cure_at_once: bool = False, step: str = "2s") -> Iterator[Cluster]:
    """A cluster of one's own, empty but for Flux.

    `cure_at_once`: with the gate that the page on failed releases says. `step`: when what waits for another is looked at again.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        cluster = Cluster(folder, tools, cure_at_once, step)
        stack.callback(cluster.stop)
        git = stack.enter_context(serving(git_of(folder / "git")))
        charts = stack.enter_context(serving(files_of(folder / "charts")))
        cluster.start(git, charts)
        yield cluster


def local_charts(url: str) -> list[Json]:
    """A policy by which an API server takes every chart repository to this server, and its binding."""
    here = f"'{url}' + object.spec.url.substring(8)"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1beta1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "local-charts"},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["source.toolkit.fluxcd.io"],
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["helmrepositories"],
                    }
                ]
            },
            "matchConditions": [{"name": "remote", "expression": "object.spec.url.startsWith('https://')"}],
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {"expression": f"Object{{spec: Object.spec{{url: {here}}}}}"},
                }
            ],
        },
    }
    binding = {
        "apiVersion": policy["apiVersion"],
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": "local-charts"},
        "spec": {"policyName": "local-charts"},
    }
    return [policy, binding]
