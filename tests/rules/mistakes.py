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


def _edge(id_: str, at: str, *edits: tuple[str, str], beside: str = "") -> Mistake:
    own = tuple((EDGE, old, new) for old, new in edits)
    return Mistake(id=id_, base="edge", edits=own, at=at, beside=frozenset(beside.split()))


def _reference(id_: str, at: str, *edits: Edit, beside: str = "") -> Mistake:
    return Mistake(id=id_, base="k3s-flux", edits=edits, at=at, beside=frozenset(beside.split()))


def _by_hand(id_: str, at: str, do: Callable[[Path], object], *, beside: str = "", **more: Any) -> Mistake:
    return Mistake(id=id_, base="k3s-flux", edits=(), at=at, beside=frozenset(beside.split()), by_hand=do, **more)


def _app(name: str, rest: str) -> tuple[str, str]:
    return "    - name: whoami\n", f"    - name: {name}\n      {rest}\n    - name: whoami\n"


_WIKI, _SENSORS, _APPS = "tag: 4.2.0", "tag: 1.0.3", "  fluxstead:apps:\n"
_BUDGET, _KUBERNETES = "disruptionBudget: {maxUnavailable: 1}", "    nodeCidr: 10.20.0.0/24"
_UI = "    ui:\n      path: /longhorn\n"


def _beside(key: str, more: str, indent: int = 10) -> tuple[str, str]:
    return key, f"{key}\n{' ' * indent}{more}"


_APPLICATIONS = (
    _edge("applications/autoscaling-range", "minReplicas: 7", ("minReplicas: 2,", "minReplicas: 7,")),
    _edge(
        "applications/autoscaling-without-metrics", "autoscaling:", (_KUBERNETES, f"    disable: [metrics-server]\n{_KUBERNETES}")
    ),
    _edge("applications/autoscaling-without-request", "autoscaling:", ("{cpu: 100m, memory: 128Mi}", "{memory: 128Mi}")),
    _edge("applications/bad-tag", "4 2", (_WIKI, "tag: '4 2'")),
    _edge("applications/budget", "minAvailable", (_BUDGET, "disruptionBudget: {maxUnavailable: 1, minAvailable: 1}")),
    _edge("applications/budget-blocks-drains", "minAvailable", (_BUDGET, "disruptionBudget: {minAvailable: 2}")),
    _edge("applications/budget-of-one", "disruptionBudget", _beside(_WIKI, _BUDGET)),
    _edge("applications/long-name", "name: live", ("- name: wiki", f"- name: {'w' * 60}")),
    _edge("applications/moving-tag", "tag: stable", (_WIKI, "tag: stable")),
    _edge("applications/mutable-tag", "tag: latest", (_WIKI, "tag: latest")),
    _edge("applications/name-taken", "name: wiki-live", ("- name: whoami", "- name: wiki-live")),
    _edge("applications/no-environment", "name: empty", _app("empty", "image: registry.example.test/empty")),
    _edge("applications/no-image", "name: empty", _app("empty", "port: 80")),
    _edge(
        "applications/path-taken",
        "path: generated/whoami",
        ("path: apps/whoami", "path: generated/whoami"),
        beside="references/missing-path",
    ),
    _edge("applications/path-taken", "path: apps/whoami", _app("again", "path: apps/whoami"), beside="tree/two-owners"),
    _edge("applications/peer", "- ports:", ("- cidr: 10.20.0.5/32\n            ports:", "- ports:"), beside="tree/schema"),
    _edge("applications/plain-secret", "API_TOKEN", _beside("secrets: [wiki-settings]", "env: {API_TOKEN: 7d5c0f3e9b8a4162}", 6)),
    _edge("applications/named-secret", "API_TOKEN", _beside("secrets: [wiki-settings]", "env: {API_TOKEN: abcdefgh}", 6)),
    _edge("applications/request-above-limit", "requests:", ("limits: {memory: 256Mi}", "limits: {memory: 64Mi}")),
    _edge("applications/reserved-namespace", "name: live", ("- name: wiki", "- name: kube")),
    _edge("applications/route-without-port", "route:", ("      port: 3000\n", "")),
    _edge("applications/service-name", "name: 1wiki", ("- name: wiki", "- name: 1wiki")),
    _edge("applications/shared-volume", "replicas: 2", _beside(_WIKI, "replicas: 2")),
    _edge(
        "applications/tag-in-image", "/wiki:4.2.0", ("image: registry.example.test/wiki", "image: registry.example.test/wiki:4.2.0")
    ),
    _edge("applications/two-forms", "port: 80", _beside("interval: 5m", "port: 80", 6)),
    _edge("applications/two-sizes", "replicas: 3", _beside(_SENSORS, "replicas: 3")),
)
_SYSTEMS = (
    _reference("dns/cluster-domain", "web.cluster.local", (STACK, "k3s1.local:", "web.cluster.local:")),
    _edge("dns/mdns", "a.local", (_APPS, f"  fluxstead:dns: {{records: {{a.local: 10.20.0.11}}}}\n{_APPS}")),
    _reference("dns/no-coredns", "records:", (STACK, "disable: [", "disable: [coredns, ")),
    _edge("ingress/bundled-traefik", "version: 41.3.0", _beside("controller: traefik", "version: 41.3.0", 4)),
    _reference(
        "ingress/no-version",
        "controller:",
        (STACK, "    version: 4.12.3 # our choice\n", ""),
        beside="coldstart/never monitoring/finds-nothing references/policy-selects-nothing",
    ),
    _reference("ingress/one-port-twice", "httpsPort", (STACK, "httpsPort: 30443", "httpsPort: 30080")),
    _edge(
        "ingress/retired",
        "controller:",
        (_KUBERNETES, f"    disable: [traefik]\n{_KUBERNETES}"),
        _beside("controller: traefik", "version: 4.15.1", 4),
        ("controller: traefik", "controller: ingress-nginx"),
    ),
    _reference(
        "ingress/two-default-classes",
        "fluxstead:ingress",
        (STACK, "disable: [traefik, ", "disable: ["),
        beside="ownership/two-defaults",
    ),
    _edge(
        "ingress/said-otherwise",
        "nodePort: 31999",
        ("    httpsPort: 31443\n", "    httpsPort: 31443\n    values:\n      ports: {web: {nodePort: 31999}}\n"),
    ),
    _edge(
        "ingress/said-otherwise",
        "name: public",
        ("    httpsPort: 31443\n", "    httpsPort: 31443\n    values:\n      ingressClass: {name: public}\n"),
    ),
    _edge(
        "longhorn/said-otherwise",
        "defaultClass: false",
        ("ui: null", "ui: null\n    values: {persistence: {defaultClass: false}}"),
    ),
    _edge(
        "longhorn/said-otherwise",
        "namespaceOverride",
        ("ui: null", "ui: null\n    values: {namespaceOverride: storage}"),
    ),
    _reference("longhorn/chart-version", "v1.9.0", (STACK, "version: 1.9.0", "version: v1.9.0")),
    _reference(
        "longhorn/default-disk",
        "defaultSettings",
        (STACK, _UI, f"    values: {{defaultSettings: none}}\n{_UI}"),
        beside="longhorn/too-few-nodes storage/tags-unused",
    ),
    _reference(
        "longhorn/default-disk",
        "createDefaultDisk",
        (STACK, _UI, f"    values: {{defaultSettings: {{createDefaultDiskLabeledNodes: false}}}}\n{_UI}"),
    ),
    _reference("longhorn/default-disk", "create-default-disk", (K1, "default-disk: config", "default-disk: 'true'")),
    _edge("longhorn/kubernetes", "version: 1.12.1", ("v1.36.3+k3s1", "v1.24.17+k3s1"), beside="versions/compatibility"),
    _edge("longhorn/open-ui", "ui:", ("ui: null", "ui: {host: longhorn.example.test, path: /}")),
    _edge("longhorn/too-few-nodes", "replicas: 5", ("replicas: 3", "replicas: 5"), beside="storage/tags"),
    _edge("longhorn/untried-version", "version: 1.13.0", ("version: 1.12.1", "version: 1.13.0")),
    _edge("monitoring/chart-version", "v88.5.3", ("version: 88.5.3", "version: v88.5.3")),
    _edge("monitoring/unknown-version", "version: 74.2.0", ("88.5.3", "74.2.0"), beside="order/unmet-need"),
    _edge("monitoring/default-password", "grafana:", ("88.5.3", "75.6.0"), ("      adminSecret: grafana-admin\n", "")),
    _edge(
        "monitoring/plain-password",
        "adminPassword",
        _beside("88.5.3", "values: {grafana: {adminPassword: hunter2}}", 4),
        beside="secrets/in-values",
    ),
    _edge("monitoring/retention-size", "retentionSize", _beside("retention: 4w", "retentionSize: 60GB", 6)),
    _edge("monitoring/renamed", "fullnameOverride", _beside("88.5.3", "values: {grafana: {fullnameOverride: dashboards}}", 4)),
)
_NODES = (
    _reference("nodes/address-outside", "10.0.0.1", (K1, "192.168.86.71", "10.0.0.1"), beside="dns/another-address"),
    _reference("nodes/address-twice", "192.168.86.72", (K1, "192.168.86.71", "192.168.86.72"), beside="dns/another-address"),
    _reference(
        "nodes/disk-inside-disk", "sdf1/inside", (K1, "mountPath: /mnt/longhorn/sdg1", "mountPath: /mnt/longhorn/sdf1/inside")
    ),
    _reference("nodes/disk-twice", "device: /dev/sdf", (K1, "device: /dev/sdg", "device: /dev/sdf")),
    _reference(
        "nodes/disk-twice",
        "serial: S1",
        (K1, "    device: /dev/sdf\n", "    device: /dev/sdf\n    serial: S1\n"),
        (K1, "    device: /dev/sdg\n", "    device: /dev/sdg\n    serial: S1\n"),
    ),
    _reference("nodes/no-server", "role:", (K1, "role: server", "role: agent")),
    _reference("nodes/unusable-address", "127.0.0.1", (K1, "192.168.86.71", "127.0.0.1"), beside="dns/another-address"),
)
_TREE = (
    _edge("order/cycle", "name: live", _beside(_SENSORS, "dependsOn: [sensors-trial]")),
    _edge("order/dangling-dependency", "name: trial", ("dependsOn: [sensors-live]", "dependsOn: [sensors-liv]")),
    _edge(
        "order/unmet-need",
        "name: live",
        ("        storageClass: longhorn-nvme\n        mount", "        storageClass: other\n        mount"),
    ),
    _edge("tree/name-taken", "name: edge", ("- name: whoami", "- name: edge")),
    _edge("tree/namespace-not-ours", "fluxstead:monitoring", _beside("version: 88.5.3", "namespace: kube-system", 4)),
    _edge("accept/error", "longhorn/too-few", (_APPS, f"  fluxstead:accept: [{{id: longhorn/too-few-nodes, reason: x}}]\n{_APPS}")),
    _edge("accept/unknown", "longhorn/open-iu", (_APPS, f"  fluxstead:accept: [{{id: longhorn/open-iu, reason: x}}]\n{_APPS}")),
    _edge("accept/unused", "dns/mdns", (_APPS, f"  fluxstead:accept: [{{id: dns/mdns, reason: x}}]\n{_APPS}")),
)


def _replaced(file: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda project: change(project, ((file, old, new),))


def _linked(project: Path) -> None:
    readme = project / "generated/k3s-flux/README.md"
    readme.unlink()
    readme.symlink_to("../../Pulumi.k3s-flux.yaml")


def _stale(project: Path) -> None:
    """A file of the tree that was edited, and that is then no longer part of it."""
    [file] = (project / "generated/k3s-flux").rglob("config-map-coredns-custom.yaml")
    file.write_text(file.read_text() + "# by hand\n")
    change(project, ((STACK, "  fluxstead:dns:\n    records:\n      k3s1.local: 192.168.86.71\n", ""),))


def _orphan(project: Path) -> None:
    """A file of an earlier tree that the record does not name any more."""
    tree = project / "generated/k3s-flux"
    (tree / "earlier.yaml").write_text((tree / "apps.yaml").read_text())


_README, _RECORD = "generated/k3s-flux/README.md", "generated/k3s-flux/.fluxstead.json"
_ADDED, _ENTRY = "generated/k3s-flux/apps/more.yaml", "clusters/k3s-flux/tree.yaml"
_OWNED = (
    _by_hand("tree/edited", "by hand", lambda project: (project / _README).write_text("by hand\n"), written=True),
    _by_hand("tree/edited", "", _stale, written=True),
    _by_hand("tree/edited", "Generated by", _orphan, written=True),
    _by_hand("tree/added", "by hand", lambda project: (project / _ADDED).write_text("by: hand # by hand\n"), written=True),
    _by_hand("tree/entry", "", lambda project: (project / _ENTRY).write_text(""), written=True),
    _by_hand("tree/in-the-way", "", _linked, written=True),
    _by_hand("tree/record", "", _replaced(_RECORD, '"README.md"', '"../README.md"'), written=True),
    _by_hand("tree/record", "<<<<", lambda project: (project / _RECORD).write_text("<<<<\n"), written=True),
)
_READING = (
    _reference(
        "description/missing", "fluxstead:longhorn", (STACK, "    version: 1.9.0 # reached by 1.5.1, 1.6.2, 1.7.2, 1.8.2\n", "")
    ),
    _reference(
        "description/no-cluster",
        "k3s-flx",
        (K1, "cluster: k3s-flux", "cluster: k3s-flx"),
        beside="nodes/no-server",
    ),
    _by_hand("description/no-stack", "", lambda _: None, stack="k3s-fluxx"),
    _reference(
        "description/secret", "fluxstead:dns", (STACK, "    records:\n      k3s1.local: 192.168.86.71\n", "    secure: AAA=\n")
    ),
    _reference("description/type", "replicas: two", (STACK, "replicas: 2", "replicas: two")),
    _by_hand("description/type", "config: 3", lambda project: (project / STACK).write_text("config: 3\n")),
    _reference("description/type", "fluxstead:dns:", (STACK, "    records:\n      k3s1.local: 192.168.86.71\n", "")),
    _reference("description/unknown-key", "datalocality", (STACK, "dataLocality:", "datalocality:")),
    _reference("description/unknown-key", "confg:", (STACK, "config:\n", "confg: {}\nconfig:\n")),
    _reference("description/unknown-key", "fluxsted:dns", (STACK, "fluxstead:dns:", "fluxsted:dns:")),
    _reference("description/unknown-key", "name: k3s1", (K1, "role: server", "name: k3s1\nrole: server")),
    _reference("description/unread-node", "cluster", ("nodes/k3s3.yml", "", "cluster: k3s-flux\n")),
    _by_hand("description/unreadable", "", lambda project: (project / "nodes/k3s3.yaml").symlink_to("nothing")),
    _by_hand(
        "description/unreadable",
        "",
        lambda project: (project / "nodes/k3s3.yaml").write_bytes(b"cluster: \xfc\n"),
        beside="description/missing",
    ),
    _reference("description/value", "1.9.x", (STACK, "version: 1.9.0", "version: 1.9.x")),
    _reference("description/value", "role: master", (K1, "role: server", "role: master"), beside="nodes/no-server"),
    _reference("description/value", "replicas: 0", (STACK, "replicas: 2", "replicas: 0")),
    _reference("description/yaml", "storage:", (K1, "labels:", "labels: ["), beside="description/missing"),
    _by_hand("description/yaml", "\a", lambda project: (project / K1).write_text("\a"), beside="description/missing"),
    _by_hand("description/missing", "", lambda project: (project / K1).write_text(""), beside="nodes/no-server"),
    _reference("description/unreadable", "<<<<<<< HEAD", (K1, "labels:\n", "<<<<<<< HEAD\nlabels:\n"), beside="description/yaml"),
    _reference("description/yaml", "storage: 1E5", (K1, "storage: longhorn", "storage: 1E5")),
    _by_hand(
        "description/yaml",
        "[[[",
        lambda project: (project / K1).write_text("[" * 30000 + "]" * 30000),
        beside="description/missing",
    ),
    _by_hand(
        "description/yaml",
        "labels:",
        lambda project: (project / K1).write_text("labels: &l {x: *l}\n"),
        beside="description/missing",
    ),
    _reference("description/yaml", "<<:", (K1, "labels:\n", "labels:\n  <<: {a: b}\n")),
    _reference("description/yaml", "state: planned", (K1, "state: live", "state: live\nstate: planned")),
    _reference("description/yaml", "  on: x", (K1, "labels:\n", "labels:\n  on: x\n")),
    _reference("description/yaml", "!secret", (K1, "storage: longhorn", "storage: !secret longhorn")),
    _reference("description/yaml", "storage: on", (K1, "storage: longhorn", "storage: on")),
    _reference("description/yaml", "0o17", (K1, "storage: longhorn", "storage: 017 # not 0o17")),
    _reference("description/yaml", "2026-01-01", (K1, "storage: longhorn", "storage: 2026-01-01")),
)


def _of_another_stack(project: Path) -> None:
    (project / "generated/home").mkdir(parents=True)
    (project / "generated/home/.fluxstead.json").write_text('{"files": {}}')


_LOOKED_AT = (
    _by_hand("tree/left-behind", "", _of_another_stack),
    _by_hand(
        "tree/deleted", "", lambda project: (project / "generated/k3s-flux/apps.yaml").unlink(), written=True, command="check"
    ),
    Mistake(
        id="tree/stale",
        base="k3s-flux",
        edits=((STACK, "k3s1.local: 192.168.86.71", "k3s2.local: 192.168.86.72"),),
        at="",
        beside=frozenset(),
        written=True,
        command="check",
    ),
)


def _inside(*folders: str) -> Callable[[Path], object]:
    """The project's folder lies in a repository with these folders."""

    def make(project: Path) -> None:
        for folder in (".git", *folders):
            (project.parent / folder).mkdir(parents=True)

    return make


_DIRECTORY: Edit = (STACK, "  fluxstead:flux:\n", "  fluxstead:flux:\n    directory: project\n")
_PLACE = (
    _by_hand("flux/directory", "fluxstead:flux:", _inside(), beside="moves/unread"),
    Mistake(
        id="flux/begins-elsewhere",
        base="k3s-flux",
        edits=(_DIRECTORY,),
        at="directory: project",
        # The repository around it is made of an empty folder, which Git does not take for one.
        beside=frozenset({"moves/unread"}),
        by_hand=_inside("clusters/k3s-flux/flux-system"),
    ),
)
MISTAKES = (*_APPLICATIONS, *_SYSTEMS, *_NODES, *_TREE, *_OWNED, *_LOOKED_AT, *_PLACE, *_READING)
