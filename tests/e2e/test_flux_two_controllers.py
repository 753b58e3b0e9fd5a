"""From ingress-nginx to Traefik by the commits of its page, and no moment without a way in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.e2e.cluster.api import Json, eventually, is_ready
from tests.e2e.cluster.description import PROJECT, STACK, Project
from tests.e2e.cluster.fixtures import Need, reference_running
from tests.e2e.cluster.flux import Cluster
from tests.e2e.cluster.report import RELEASE

PAGE = "docs/tasks/from-ingress-nginx-to-traefik.md"
INGRESS = ("networking.k8s.io/v1", "Ingress")
pytestmark = pytest.mark.flux


@pytest.fixture(scope="module")
def cluster(need: Need) -> Iterator[Cluster]:
    """The reference cluster, with a Flux that drops a wait when a new commit is there."""
    with reference_running(need, cure_at_once=True) as made:
        yield made


def typed() -> list[str]:
    """The page's states of the section, in their order."""
    found = re.findall(r"```yaml\n(  fluxstead:ingress:.*?)```", (PROJECT / PAGE).read_text(), re.DOTALL)
    assert len(found) == 2
    return found


class WaysIn:
    """Which Ingresses there are, at each change, by what they answer: for each, the classes that do."""

    def __init__(self) -> None:
        self._now: dict[tuple[str, str], tuple[tuple[str, str], str]] = {}
        self.seen: list[dict[tuple[str, str], frozenset[str]]] = []

    def see(self, obj: Json) -> None:
        """One state of one of them; one that is on its way out answers until it is gone."""
        metadata = obj["metadata"]
        key = (metadata["namespace"], metadata["name"])
        if metadata.get("deletionTimestamp"):
            self._now.pop(key, None)
        else:
            rule = obj["spec"]["rules"][0]
            self._now[key] = (metadata["namespace"], rule.get("host", "")), obj["spec"]["ingressClassName"]
        ways: dict[tuple[str, str], set[str]] = {}
        for way, class_name in self._now.values():
            ways.setdefault(way, set()).add(class_name)
        self.seen.append({way: frozenset(classes) for way, classes in ways.items()})


def test_the_commits_of_the_page_leave_no_moment_without_a_way_in(cluster: Cluster) -> None:
    """What answered by ingress-nginx is answered by both, and then by Traefik alone; and nothing of ingress-nginx is left."""
    project = Project(cluster.repository.folder)
    cluster.bootstrap(f"./clusters/{STACK}")
    cluster.wait_for_layers(project.layers(), cluster.commit("as it is committed"))
    api = cluster.api
    both, alone = typed()
    section = re.search(r"  fluxstead:ingress:\n(?:    .*\n)+", project.stack_file.read_text())
    assert section is not None

    ways = WaysIn()
    project.replace(project.stack_file.name, section[0], both)
    project.render()
    revision = cluster.commit("Traefik beside ingress-nginx")
    cluster.wait_for_layers(project.layers(), revision)
    release = api.get(*RELEASE, "traefik", "traefik")
    assert release is not None
    assert is_ready(release)
    for obj in api.list(*INGRESS):
        ways.see(obj)
    assert set(ways.seen[-1].values()) == {frozenset({"nginx", "traefik"})}
    services = {
        one["metadata"]["name"]: one["spec"]["ports"] for one in api.list("v1", "Service") if one["spec"]["type"] == "NodePort"
    }
    ports = sorted(port["nodePort"] for of in services.values() for port in of)
    assert ports == [30080, 30443, 31080, 31443]

    start = len(ways.seen)
    with api.watching(*INGRESS, "", ways.see):
        project.replace(project.stack_file.name, both, alone)
        project.render()
        revision = cluster.commit("Traefik alone")
        cluster.wait_for_layers(project.layers(), revision)
        eventually("ingress-nginx is gone", 60, lambda: api.get(*RELEASE, "nginx-ingress", "ingress-nginx") is None, cluster.report)
        eventually(
            "one Ingress for each", 60, lambda: all("nginx" not in one for one in _classes(api.list(*INGRESS))), cluster.report
        )
    assert len(ways.seen) > start
    assert all("traefik" in classes for moment in ways.seen[start:] for classes in moment.values())
    assert {way for moment in ways.seen[start:] for way in moment} == set(ways.seen[start - 1])
    assert not [one for one in api.list("networking.k8s.io/v1", "IngressClass") if one["metadata"]["name"] == "nginx"]
    assert api.list("apps/v1", "Deployment", "ingress-nginx") == []


def _classes(found: list[Json]) -> list[str]:
    return [one["spec"]["ingressClassName"] for one in found]
