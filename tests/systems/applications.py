"""What the tests of applications share: descriptions, a stand-in for the ingress controller, and the plan."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fluxstead.core.findings import Finding
from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from fluxstead.description.load import load
from fluxstead.nodes.model import Node
from fluxstead.systems.applications import plan
from fluxstead.systems.applications.settings import Application
from fluxstead.tree.asks import CollectorPods, ControllerPods, Link, Route
from fluxstead.tree.layer import Layer, Plan
from fluxstead.tree.resolve import resolved
from tests.volumes import VOLUMES

PLATFORM = Platform(cluster="home", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"))

HEAD = """\
config:
  fluxstead:flux: {version: 2.6.1}
  fluxstead:kubernetes: {version: v1.33.1+k3s1}
  fluxstead:longhorn: {version: 1.9.0}
  fluxstead:ingress: {controller: traefik}
  fluxstead:apps:
"""

WEB = """
- name: web
  image: ghcr.io/example/web
  port: 8080
  environments:
    - name: prod
      tag: 1.2.3
"""

RICH = """
- name: web
  image: ghcr.io/example/web
  port: 8080
  probes: {readiness: /ready, liveness: /alive, startup: 90s}
  env: {LOG_LEVEL: info, GREETING: hello}
  secrets: [web]
  imagePullSecrets: [registry]
  viewers: developers
  allow:
    egress:
      - {cidr: 192.168.86.10, ports: [5432]}
      - {namespace: databases, ports: [53], protocol: UDP}
    ingress:
      - {namespace: monitoring}
  environments:
    - name: dev
      interval: 1m
      tag: 1.2.4
      state: offline
      autoscaling: {minReplicas: 2, maxReplicas: 3}
      disruptionBudget: {minAvailable: 50%}
      env: {LOG_LEVEL: debug}
    - name: prod
      tag: 1.2.3
      autoscaling: {minReplicas: 2, maxReplicas: 6, cpu: 70}
      disruptionBudget: {maxUnavailable: 1}
      route: {host: web.example.org, path: /shop, stripPath: true}
    - name: store
      tag: 1.2.3
      volume: {size: 5Gi, mountPath: /data}
- name: whoami
  path: apps/whoami
  interval: 30m
  dependsOn: [web-prod]
"""


@dataclass(frozen=True)
class PlainRouter:
    """An ingress controller that needs no more than an Ingress."""

    controllers = (ControllerPods("ingress", {"app": "controller"}),)
    tells_sources = needs_sign_in = False

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """One Ingress."""
        backend = {"service": {"name": route.service, "port": {"number": route.port}}}
        rule = {"host": route.host, "http": {"paths": [{"path": route.path, "pathType": "Prefix", "backend": backend}]}}
        ingress = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": route.name, "namespace": route.namespace},
            "spec": {"ingressClassName": "nginx", "rules": [rule]},
        }
        return (Manifest(ingress, route.source),)

    def link(self, route: Route) -> Link:
        """By plain HTTP."""
        return Link(route.name, f"http://{route.host}{route.path}")


ROUTER = PlainRouter()
COLLECTOR = CollectorPods("monitoring", {"app.kubernetes.io/name": "prometheus"})


def described(folder: Path, apps: str) -> tuple[Application, ...]:
    """The applications of a stack file, read as the program reads it."""
    (folder / "Pulumi.home.yaml").write_text(HEAD + textwrap.indent(apps.lstrip("\n"), "    "))
    loaded = load(folder, "home")
    assert loaded.description is not None, loaded.findings
    return loaded.description.cluster.apps


def planned(apps: Sequence[Application], platform: Platform = PLATFORM, nodes: Sequence[Node] = ()) -> Plan:
    """The plan, on a cluster with everything."""
    own = plan(apps, platform, ROUTER, VOLUMES, nodes=nodes, collector=COLLECTOR)
    return resolved({"ingress": Plan(router=ROUTER), "applications": own})["applications"]


def layer(found: Plan, name: str) -> Layer:
    """The layer of that name."""
    return next(layer for layer in found.layers if layer.name == name)


def objects(found: Plan, name: str, kind: str) -> list[Any]:
    """The objects of a kind in a layer."""
    return [manifest.object for manifest in layer(found, name).manifests if manifest.object["kind"] == kind]


def the(found: Plan, name: str, kind: str) -> Any:
    """The only object of a kind in a layer."""
    (only,) = objects(found, name, kind)
    return only


def findings(folder: Path, apps: str, platform: Platform = PLATFORM) -> list[Finding]:
    """What is found, once each."""
    return sorted(set(planned(described(folder, apps), platform).findings))


def refused(folder: Path, apps: str, platform: Platform = PLATFORM) -> list[tuple[str, int]]:
    """What is found, and in which line."""
    return [(finding.id, finding.source.line) for finding in findings(folder, apps, platform)]


def line(apps: str, text: str) -> int:
    """The line of the stack file in which `text` stands first."""
    lines = (HEAD + apps.lstrip("\n")).splitlines()
    return next(number for number, written in enumerate(lines, 1) if text in written)
