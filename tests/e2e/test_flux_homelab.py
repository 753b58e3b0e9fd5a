"""The applications of the page on adding one come up under their own Pod Security and quotas, and go as the page says."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
import yaml

from fluxstead.core.quantity import Quantity
from tests.e2e.cluster.api import Json, RefusedError
from tests.e2e.cluster.description import Project
from tests.e2e.cluster.fixtures import Need
from tests.e2e.cluster.flux import TOOLS, Cluster, running
from tests.systems.homelab import CLUSTER, MACHINES, STACK, application, described, write

Record = Callable[[str, object], None]
pytestmark = pytest.mark.flux
POD = ("v1", "Pod")


class Homelab(Project):
    """The page's examples, in the repository that Flux reads."""

    def __init__(self, cluster: Cluster) -> None:
        self.folder, self.stack = cluster.repository.folder, STACK
        write(self.folder)
        self.render()

    def remove(self, name: str) -> None:
        """Take an application out of the description."""
        self.replace(self.stack_file.name, described(application(name)), "")

    def namespaces(self) -> list[str]:
        """Those of the applications."""
        made = [one.ref for layer in self.assembled().plans["applications"].layers for one in layer.manifests]
        return [ref.name for ref in made if ref.kind == "Namespace"]


@pytest.fixture
def cluster(need: Need) -> Iterator[Cluster]:
    """An empty cluster with the page's machines, as k3s registers them, and all that its k3s brings."""
    with running(need(*TOOLS)) as made:
        for name, text in MACHINES.items():
            made.control_plane.add_node(name)
            taints = yaml.safe_load(text).get("taints", [])
            made.api.patch("v1", "Node", name, {"spec": {"taints": taints}})
        made.as_k3s(yaml.safe_load(CLUSTER)["config"]["fluxstead:kubernetes"])
        yield made


def test_every_application_comes_up_as_its_namespace_admits_it(cluster: Cluster, record_property: Record) -> None:
    """Every pod runs, on the machine that was asked for; no quota is exceeded; what is taken away goes as the page says."""
    homelab = Homelab(cluster)
    started = time.monotonic()
    cluster.bootstrap(f"./clusters/{STACK}")
    revision = cluster.commit("the page's applications")
    cluster.wait_for_layers(homelab.layers(), revision, 300)
    record_property("the page's applications: all layers Ready after", f"{time.monotonic() - started:.0f} s")
    names = homelab.namespaces()
    pods = {name: cluster.api.list(*POD, name) for name in names}
    assert {name: [one["status"]["phase"] for one in found] for name, found in pods.items()} == {
        name: ["Running"] for name in names
    }
    where = {name: found[0]["spec"]["nodeName"] for name, found in pods.items()}
    assert (where["hub-live"], where["films-live"]) == ("k3s2", "k3s3")
    assert "k3s3" not in {node for name, node in where.items() if name != "films-live"}, "its taint keeps the others away"
    under_their_quotas(cluster, names)
    refused_elsewhere(cluster, pods["hub-live"][0])
    amounts_and_pods_go_down_and_up(cluster, homelab)
    goes_as_the_page_says(cluster, homelab)


def under_their_quotas(cluster: Cluster, names: list[str]) -> None:
    """Each image's namespace has a quota that counts its pods; a chart's has none."""
    quotas = {one["metadata"]["namespace"]: one for name in names for one in cluster.api.list("v1", "ResourceQuota", name)}
    assert set(names) - quotas.keys() == {"tides-live", "tides-trial"}
    for name, quota in quotas.items():
        hard, used = quota["spec"]["hard"], quota["status"]["used"]
        assert used["pods"] == "1", name
        for what, most in hard.items():
            assert 0 < Quantity(used[what]).amount <= Quantity(most).amount, f"{name}: {what}"
    failed = [one["message"] for name in names for one in cluster.api.list("v1", "Event", name) if one["reason"] == "FailedCreate"]
    assert not failed


def refused_elsewhere(cluster: Cluster, hub: Json) -> None:
    """The hub's own pod, where nothing asked for a device: it is the namespace that makes the difference."""
    for name, word in (("films-live", "restricted"), ("papers-live", "baseline")):
        spec = {key: value for key, value in hub["spec"].items() if key not in {"serviceAccountName", "serviceAccount"}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "hub", "namespace": name}, "spec": spec}
        with pytest.raises(RefusedError, match=f'violates PodSecurity "{word}'):
            cluster.api.apply(pod, dry_run=True)


_WAIT = "initContainers: [{name: wait, image: busybox:1.37.0}]"
_VERSIONS = (
    ("replicas: 4", "1Gi"),
    ("replicas: 4", "512Mi"),
    ("replicas: 6", "64Mi"),
    ("replicas: 1", "32Mi"),
    ("replicas: 3", "2Gi"),
    ("autoscaling: {minReplicas: 3, maxReplicas: 6}", "1Gi"),
    ("autoscaling: {minReplicas: 1, maxReplicas: 1}", "128Mi"),
    ("replicas: 2", "64Mi"),
)
"""Of one environment, one commit each: what pods there are, and the limit of each."""


def amounts_and_pods_go_down_and_up(cluster: Cluster, homelab: Homelab) -> None:
    """Whatever the version before had, the next one is rolled out: with an init container, an autoscaler, or recreated."""
    last = "      tag: v1.11.0\n"
    homelab.replace(homelab.stack_file.name, "image: traefik/whoami\n", f"image: traefik/whoami\n      {_WAIT}\n")
    homelab.replace(homelab.stack_file.name, "memory: 512Mi}, limits: {memory: 1Gi}", "memory: 128Mi}, limits: {memory: 256Mi}")
    for number, (pods, memory) in enumerate(_VERSIONS, 1):
        amounts = f"{{requests: {{cpu: 10m, memory: 16Mi}}, limits: {{memory: {memory}, ephemeralStorage: {memory}}}}}"
        version = f"      tag: v2.0.{number}\n          {pods}\n          resources: {amounts}\n"
        homelab.replace(homelab.stack_file.name, last, version)
        homelab.render()
        cluster.wait_for_layers(homelab.layers(), cluster.commit(f"{pods}, {memory}"))
        last = version
    images = [one["spec"]["containers"][0]["image"] for one in running_in(cluster, "whoami-live")]
    assert images == [f"traefik/whoami:v2.0.{len(_VERSIONS)}"] * 2
    [hub] = running_in(cluster, "hub-live")
    assert hub["spec"]["containers"][0]["resources"]["limits"]["memory"] == "256Mi"


def running_in(cluster: Cluster, namespace: str) -> list[Json]:
    """Its pods that do not end."""
    return [one for one in cluster.api.list(*POD, namespace) if "deletionTimestamp" not in one["metadata"]]


def goes_as_the_page_says(cluster: Cluster, homelab: Homelab) -> None:
    """Without the broker, a database and the chart: what stays is deleted as the findings say, and nothing of it is left."""
    for name in ("papers-broker", "photos-db", "tides"):
        homelab.remove(name)
    status, said = homelab.run("render")
    assert status == 0, said
    cluster.wait_for_layers(homelab.layers(), cluster.commit("three fewer"))
    removed = {"papers-broker-live", "photos-db-live", "tides-live", "tides-trial"}
    layers = removed | {f"{name}-access" for name in removed}
    cluster.eventually("their layers are gone", lambda: not layers & cluster.layers().keys())
    for name in ("papers-broker-live", "photos-db-live"):
        assert not running_in(cluster, name)
    assert cluster.api.get("v1", "PersistentVolumeClaim", "photos-db", "photos-db-live"), "with what is in it"
    assert [one["status"]["phase"] for one in cluster.api.list(*POD, "tides-live")] == ["Running"]
    assert cluster.api.get("v1", "PersistentVolumeClaim", "tides", "tides-live")
    typed = re.findall("`(kubectl delete [^`]+)`", said)
    assert len(typed) == len(removed) + 2, "a namespace each, and two releases"
    for command in sorted(typed):  # releases before their namespaces
        words = f'kubectl() {{ {cluster.control_plane.kubectl_words()} "$@"; }}; {command}'
        subprocess.run(["bash", "-euc", words], check=True, capture_output=True, timeout=120)
    left = [one for kind in ("Namespace", "ServiceAccount", "PersistentVolumeClaim") for one in cluster.api.list("v1", kind)]
    names = {f"{one['metadata'].get('namespace', '')}/{one['metadata']['name']}" for one in left}
    assert not [name for name in names for gone in removed if gone in name]
