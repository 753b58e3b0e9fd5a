"""One mistake for each rule that stands where its subject is read, planned or compared: a small change of a description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EDGE, K1, STACK = "Pulumi.edge.yaml", "nodes/k3s1.yaml", "Pulumi.k3s-flux.yaml"
Edit = tuple[str, str, str]
"""A file, what stands there once, and what stands there then; a new file where nothing is to be replaced."""

BASES: dict[str, tuple[str, tuple[Edit, ...]]] = {
    "k3s-flux": (".", ()),
    # Without the one thing that both descriptions are warned of.
    "edge": ("examples/edge", ((EDGE, "    ui:\n      host: longhorn.example.test\n      path: /\n", "    ui: null\n"),)),
}


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """What is changed, and the finding that has to come of it: at a line with `at` in it.

    `beside`: what else tells of it, with the rule or without. `written`: the tree is written before. `by_hand`: a change
    that is none of a text. `command`: what tells of it.
    """

    id: str
    base: str
    edits: tuple[Edit, ...]
    at: str
    beside: frozenset[str]
    written: bool = False
    by_hand: Callable[[Path], object] | None = None
    stack: str = ""
    command: str = "render"

    def make(self, project: Path, write: Callable[[], object]) -> None:
        """Make it, in a copy of the base's description."""
        if self.written:
            write()
        change(project, self.edits)
        if self.by_hand:
            self.by_hand(project)


def change(project: Path, edits: tuple[Edit, ...]) -> None:
    """Make the changes, each of which has to fit."""
    for file, old, new in edits:
        path = project / file
        text = path.read_text() if old else ""
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new) if old else new)


def edge(id_: str, at: str, *edits: tuple[str, str], beside: str = "") -> Mistake:
    """In the stack file of the second cluster."""
    own = tuple((EDGE, old, new) for old, new in edits)
    return Mistake(id=id_, base="edge", edits=own, at=at, beside=frozenset(beside.split()))


def reference(id_: str, at: str, *edits: Edit, beside: str = "") -> Mistake:
    """In the reference cluster's description."""
    return Mistake(id=id_, base="k3s-flux", edits=edits, at=at, beside=frozenset(beside.split()))


def by_hand(id_: str, at: str, do: Callable[[Path], object], *, beside: str = "", **more: Any) -> Mistake:
    """In its files, by something else than a change of text."""
    return Mistake(id=id_, base="k3s-flux", edits=(), at=at, beside=frozenset(beside.split()), by_hand=do, **more)


def _app(name: str, rest: str) -> tuple[str, str]:
    return "    - name: whoami\n", f"    - name: {name}\n      {rest}\n    - name: whoami\n"


_WIKI, _SENSORS, _APPS = "tag: 4.2.0", "tag: 1.0.3", "  fluxstead:apps:\n"
_BUDGET, _KUBERNETES = "disruptionBudget: {maxUnavailable: 1}", "    nodeCidr: 10.20.0.0/24"
_MOVED = "secrets/missing secrets/unused"
_UI = "    ui:\n      path: /longhorn\n"


def _beside(key: str, more: str, indent: int = 10) -> tuple[str, str]:
    return key, f"{key}\n{' ' * indent}{more}"


_APPLICATIONS = (
    edge("applications/autoscaling-range", "minReplicas: 7", ("minReplicas: 2,", "minReplicas: 7,")),
    edge(
        "applications/autoscaling-without-metrics", "autoscaling:", (_KUBERNETES, f"    disable: [metrics-server]\n{_KUBERNETES}")
    ),
    edge("applications/autoscaling-without-request", "autoscaling:", ("{cpu: 100m, memory: 128Mi}", "{memory: 128Mi}")),
    edge("applications/bad-tag", "4 2", (_WIKI, "tag: '4 2'")),
    edge("applications/budget", "minAvailable", (_BUDGET, "disruptionBudget: {maxUnavailable: 1, minAvailable: 1}")),
    edge("applications/budget-blocks-drains", "minAvailable", (_BUDGET, "disruptionBudget: {minAvailable: 2}")),
    edge("applications/budget-of-one", "disruptionBudget", _beside(_WIKI, _BUDGET)),
    edge("applications/long-name", "name: live", ("- name: wiki", f"- name: {'w' * 60}"), beside=_MOVED),
    edge("applications/moving-tag", "tag: stable", (_WIKI, "tag: stable")),
    edge("applications/mutable-tag", "tag: latest", (_WIKI, "tag: latest")),
    edge("applications/name-taken", "name: wiki-live", ("- name: whoami", "- name: wiki-live")),
    edge("applications/no-environment", "name: empty", _app("empty", "image: registry.example.test/empty")),
    edge("applications/no-image", "name: empty", _app("empty", "port: 80")),
    edge(
        "applications/path-taken",
        "path: generated/whoami",
        ("path: apps/whoami", "path: generated/whoami"),
        beside="references/missing-path",
    ),
    edge("applications/path-taken", "path: apps/whoami", _app("again", "path: apps/whoami"), beside="tree/two-owners"),
    edge("applications/peer", "- ports:", ("- cidr: 10.20.0.5/32\n            ports:", "- ports:"), beside="tree/schema"),
    edge("applications/plain-secret", "API_TOKEN", _beside("secrets: [wiki-settings]", "env: {API_TOKEN: 7d5c0f3e9b8a4162}", 6)),
    edge("applications/named-secret", "API_TOKEN", _beside("secrets: [wiki-settings]", "env: {API_TOKEN: abcdefgh}", 6)),
    edge("applications/request-above-limit", "requests:", ("limits: {memory: 256Mi}", "limits: {memory: 64Mi}")),
    edge("applications/reserved-namespace", "name: live", ("- name: wiki", "- name: kube"), beside=_MOVED),
    edge("applications/route-without-port", "route:", ("      port: 3000\n", "")),
    edge("applications/service-name", "name: 1wiki", ("- name: wiki", "- name: 1wiki"), beside=_MOVED),
    edge("applications/shared-volume", "replicas: 2", _beside(_WIKI, "replicas: 2")),
    edge(
        "applications/tag-in-image", "/wiki:4.2.0", ("image: registry.example.test/wiki", "image: registry.example.test/wiki:4.2.0")
    ),
    edge("applications/two-forms", "port: 80", _beside("interval: 5m", "port: 80", 6)),
    edge("applications/two-sizes", "replicas: 3", _beside(_SENSORS, "replicas: 3")),
)
_SYSTEMS = (
    reference("dns/cluster-domain", "web.cluster.local", (STACK, "k3s1.local:", "web.cluster.local:")),
    edge("dns/mdns", "a.local", (_APPS, f"  fluxstead:dns: {{records: {{a.local: 10.20.0.11}}}}\n{_APPS}")),
    reference("dns/no-coredns", "records:", (STACK, "disable: [", "disable: [coredns, ")),
    edge("ingress/bundled-traefik", "version: 41.3.0", _beside("controller: traefik", "version: 41.3.0", 4)),
    reference(
        "ingress/no-version",
        "controller:",
        (STACK, "    version: 4.12.3 # our choice\n", ""),
        beside="coldstart/never monitoring/finds-nothing references/policy-selects-nothing",
    ),
    reference("ingress/one-port-twice", "httpsPort", (STACK, "httpsPort: 30443", "httpsPort: 30080")),
    edge(
        "ingress/retired",
        "controller:",
        (_KUBERNETES, f"    disable: [traefik]\n{_KUBERNETES}"),
        _beside("controller: traefik", "version: 4.15.1", 4),
        ("controller: traefik", "controller: ingress-nginx"),
    ),
    reference(
        "ingress/two-default-classes",
        "fluxstead:ingress",
        (STACK, "disable: [traefik, ", "disable: ["),
        beside="ownership/two-defaults",
    ),
    edge(
        "ingress/said-otherwise",
        "nodePort: 31999",
        ("    httpsPort: 31443\n", "    httpsPort: 31443\n    values:\n      ports: {web: {nodePort: 31999}}\n"),
    ),
    edge(
        "ingress/said-otherwise",
        "name: public",
        ("    httpsPort: 31443\n", "    httpsPort: 31443\n    values:\n      ingressClass: {name: public}\n"),
    ),
    edge(
        "longhorn/said-otherwise",
        "defaultClass: false",
        ("ui: null", "ui: null\n    values: {persistence: {defaultClass: false}}"),
    ),
    edge(
        "longhorn/said-otherwise",
        "namespaceOverride",
        ("ui: null", "ui: null\n    values: {namespaceOverride: storage}"),
    ),
    reference("longhorn/chart-version", "v1.9.2", (STACK, "version: 1.9.2", "version: v1.9.2")),
    reference(
        "longhorn/default-disk",
        "defaultSettings",
        (STACK, _UI, f"    values: {{defaultSettings: none}}\n{_UI}"),
        beside="longhorn/too-few-nodes storage/tags-unused",
    ),
    reference(
        "longhorn/default-disk",
        "createDefaultDisk",
        (STACK, _UI, f"    values: {{defaultSettings: {{createDefaultDiskLabeledNodes: false}}}}\n{_UI}"),
    ),
    reference("longhorn/default-disk", "create-default-disk", (K1, "default-disk: config", "default-disk: 'true'")),
    edge("longhorn/kubernetes", "version: 1.12.1", ("v1.36.3+k3s1", "v1.24.17+k3s1"), beside="versions/compatibility"),
    edge("longhorn/too-few-nodes", "replicas: 5", ("replicas: 3", "replicas: 5"), beside="storage/tags"),
    edge("longhorn/untried-version", "version: 1.13.0", ("version: 1.12.1", "version: 1.13.0")),
    edge("monitoring/chart-version", "v88.5.3", ("version: 88.5.3", "version: v88.5.3")),
    edge("monitoring/unknown-version", "version: 74.2.0", ("88.5.3", "74.2.0"), beside="order/unmet-need"),
    edge(
        "monitoring/default-password",
        "grafana:",
        ("88.5.3", "75.6.0"),
        ("      adminSecret: grafana-admin\n", ""),
        beside="secrets/unused",
    ),
    edge(
        "monitoring/plain-password",
        "adminPassword",
        _beside("88.5.3", "values: {grafana: {adminPassword: hunter2}}", 4),
        beside="secrets/in-values",
    ),
    edge("monitoring/retention-size", "retentionSize", _beside("retention: 4w", "retentionSize: 60GB", 6)),
    edge("monitoring/renamed", "fullnameOverride", _beside("88.5.3", "values: {grafana: {fullnameOverride: dashboards}}", 4)),
)
_NODES = (
    reference("nodes/address-outside", "10.0.0.1", (K1, "192.168.86.71", "10.0.0.1"), beside="dns/another-address"),
    reference("nodes/address-twice", "192.168.86.72", (K1, "192.168.86.71", "192.168.86.72"), beside="dns/another-address"),
    reference(
        "nodes/disk-inside-disk", "sdf1/inside", (K1, "mountPath: /mnt/longhorn/sdg1", "mountPath: /mnt/longhorn/sdf1/inside")
    ),
    reference("nodes/disk-twice", "device: /dev/sdf", (K1, "device: /dev/sdg", "device: /dev/sdf")),
    reference(
        "nodes/disk-twice",
        "serial: S1",
        (K1, "    device: /dev/sdf\n", "    device: /dev/sdf\n    serial: S1\n"),
        (K1, "    device: /dev/sdg\n", "    device: /dev/sdg\n    serial: S1\n"),
    ),
    reference("nodes/no-server", "role:", (K1, "role: server", "role: agent")),
    reference("nodes/unusable-address", "127.0.0.1", (K1, "192.168.86.71", "127.0.0.1"), beside="dns/another-address"),
)
_TREE = (
    edge("order/cycle", "name: live", _beside(_SENSORS, "dependsOn: [sensors-trial]")),
    edge("order/dangling-dependency", "name: trial", ("dependsOn: [sensors-live]", "dependsOn: [sensors-liv]")),
    edge(
        "order/unmet-need",
        "name: live",
        ("        storageClass: longhorn-nvme\n        mount", "        storageClass: other\n        mount"),
    ),
    edge("tree/name-taken", "name: edge", ("- name: whoami", "- name: edge")),
    edge(
        "tree/namespace-not-ours",
        "fluxstead:monitoring",
        _beside("version: 88.5.3", "namespace: kube-system", 4),
        beside="coldstart/never secrets/other-secret",
    ),
    edge("accept/error", "longhorn/too-few", (_APPS, f"  fluxstead:accept: [{{id: longhorn/too-few-nodes, reason: x}}]\n{_APPS}")),
    edge("accept/unknown", "longhorn/open-iu", (_APPS, f"  fluxstead:accept: [{{id: longhorn/open-iu, reason: x}}]\n{_APPS}")),
    edge("accept/unused", "dns/mdns", (_APPS, f"  fluxstead:accept: [{{id: dns/mdns, reason: x}}]\n{_APPS}")),
)


MISTAKES = (*_APPLICATIONS, *_SYSTEMS, *_NODES, *_TREE)
