"""Monitoring: what the stack is asked to be, what it waits for, what it scrapes, and how Grafana is reached."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fluxstead.catalog.chart_values import unknown_values, versions_known
from fluxstead.catalog.schemas import Schemas
from fluxstead.core.findings import Severity, Source
from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.quantity import Quantity
from fluxstead.core.requirement import GroupKind, storage_class
from fluxstead.core.version import Version
from fluxstead.nodes.model import Node
from fluxstead.roster import SYSTEM_FACTS
from fluxstead.systems.monitoring import plan
from fluxstead.systems.monitoring.settings import MonitoringSettings, PrometheusBytes
from fluxstead.tree.asks import AlertRules, ControllerPods, Dashboard, Link, Route, Scrape
from fluxstead.tree.layer import Layer, Plan
from fluxstead.tree.order import order
from fluxstead.tree.resolve import resolved
from tests.volumes import VOLUMES

PLATFORM = Platform(cluster="home", flux=Version("2.6.1"), kubernetes=Version("v1.33.1+k3s1"))
HERE = Source("Pulumi.home.yaml", 7)
RULE = {"alert": "Broken", "expr": "up == 0", "for": "5m", "labels": {"severity": "critical"}}
VERSIONS = [version for version in versions_known("kube-prometheus-stack") if Version(version).numbers >= (75, 0, 0)]


class EdgeRouter:
    """A router as the ingress system hands it over: one ConfigMap for each route, and an address on a node's port."""

    controllers = (ControllerPods("edge", {}),)
    tells_sources = needs_sign_in = False

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """Objects that carry what they were asked for."""
        data = {"service": f"{route.service}:{route.port}", "path": route.path, "strip": str(route.strip_path)}
        metadata = {"name": route.name, "namespace": route.namespace}
        return (Manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, route.source),)

    def link(self, route: Route) -> Link:
        """Where a person goes."""
        return Link(route.name, f"http://{route.host or '192.0.2.1'}:30080{route.path}")


def scrape(**changes: Any) -> Scrape:
    """A store's metrics."""
    described: dict[str, Any] = {"name": "store", "namespace": "store-system", "labels": {"app": "store"}, "port": "metrics"}
    return Scrape(**{**described, "source": HERE, **changes})


ALERTS = AlertRules(name="store", source=HERE, rules=(RULE,))
SHOWN = Dashboard(name="store", source=HERE, model={"title": "Store"})


def planned(*asked: Scrape | AlertRules | Dashboard, platform: Platform = PLATFORM, **described: Any) -> Plan:
    """The plan for a description and what a store asks, on a cluster whose default class is fast."""
    settings = MonitoringSettings.model_validate({"version": "75.6.0", **described})
    store = Plan(
        scrapes=tuple(one for one in asked if isinstance(one, Scrape)),
        alerts=tuple(one for one in asked if isinstance(one, AlertRules)),
        dashboards=tuple(one for one in asked if isinstance(one, Dashboard)),
    )
    own = plan(settings, platform, EdgeRouter(), VOLUMES._replace(default_class="fast"), ())
    return resolved({"store": store, "ingress": Plan(router=EdgeRouter()), "monitoring": own})["monitoring"]


def layer(found: Plan, name: str) -> Layer:
    """One layer by its name."""
    return next(one for one in found.layers if one.name == name)


def objects(found: Plan, kind: str) -> list[dict[str, Any]]:
    """All objects of a kind."""
    return [dict(item.object) for one in found.layers for item in one.manifests if item.object["kind"] == kind]


def values(found: Plan) -> dict[str, Any]:
    """The chart's values."""
    [release] = objects(found, "HelmRelease")
    chart_values: dict[str, Any] = release["spec"]["values"]
    return chart_values


def classes(value: object) -> Iterator[str]:
    """Every storage class in the values."""
    if isinstance(value, dict):
        yield from (item for key, item in value.items() if key == "storageClassName")
        for item in value.values():
            yield from classes(item)


def test_without_a_section_there_is_no_monitoring() -> None:
    """The stack is a choice."""
    nothing = plan(None, PLATFORM, EdgeRouter(), VOLUMES._replace(default_class="fast"), ())
    assert nothing == Plan()
    assert resolved({"store": Plan(scrapes=(scrape(),), alerts=(ALERTS,)), "monitoring": nothing})["monitoring"] == Plan()


@pytest.mark.parametrize(("described", "expected"), [({}, "fast"), ({"storageClass": "slow"}, "slow")])
def test_all_three_volumes_are_of_one_class(described: dict[str, Any], expected: str) -> None:
    """The storage's default class, unless the description names another."""
    assert list(classes(values(planned(**described)))) == [expected] * 3


def test_the_stack_waits_for_usable_volumes_and_the_scrapes_for_the_stack() -> None:
    """F1: Prometheus started before its volumes could be placed, and looped."""
    storage = Layer(name="storage", group="infrastructure", source=HERE, offers=frozenset({storage_class("fast")}))
    crds = [GroupKind("helm.toolkit.fluxcd.io", "HelmRelease"), GroupKind("source.toolkit.fluxcd.io", "HelmRepository")]
    layers = [*planned(scrape()).layers, storage]
    result = order(layers, crds, SYSTEM_FACTS.charts)
    assert not result.findings
    assert result.dependencies("kube-prometheus-stack") == ("storage",)
    assert result.dependencies("monitoring-scrapes") == ("kube-prometheus-stack",)
    assert result.dependencies("monitoring-routes") == ("kube-prometheus-stack",)


def test_volumes_and_their_claims_outlive_the_tree_and_the_release() -> None:
    """U10: pruning removed volumes with their release."""
    found = planned()
    assert layer(found, "kube-prometheus-stack").keeps_data
    for kind in ("Namespace", "HelmRelease"):
        [kept] = objects(found, kind)
        assert kept["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
    assert values(found)["grafana"]["persistence"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_grafana_gives_its_volume_back_before_it_starts_anew() -> None:
    """Two pods cannot share a ReadWriteOnce volume: a rolling update never ends."""
    assert values(planned())["grafana"]["deploymentStrategy"] == {"type": "Recreate"}


def test_prometheus_sees_every_monitor_and_rule() -> None:
    """By default it selects what carries the label of its release."""
    spec = values(planned())["prometheus"]["prometheusSpec"]
    for kind in ("serviceMonitor", "podMonitor", "probe", "scrapeConfig", "rule"):
        assert spec[f"{kind}SelectorNilUsesHelmValues"] is False


def test_what_k3s_does_not_expose_is_not_watched() -> None:
    """Targets that are always down, and alerts that always fire."""
    chart = values(planned())
    assert [chart[part]["enabled"] for part in ("kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler")] == [False] * 4


@pytest.mark.parametrize("version", VERSIONS)
def test_the_chart_knows_every_value(version: str) -> None:
    """F20: Helm takes an unknown value without a word."""
    found = planned(version=version, grafana={"adminSecret": "grafana-admin"})
    assert unknown_values("kube-prometheus-stack", version, values(found)) == []


def test_an_operators_values_win() -> None:
    """Laid over, mapping by mapping."""
    chart = values(planned(values={"prometheus": {"prometheusSpec": {"replicas": 2}}, "kubeProxy": {"enabled": True}}))
    assert chart["prometheus"]["prometheusSpec"]["replicas"] == 2
    assert chart["prometheus"]["prometheusSpec"]["storageSpec"]
    assert chart["kubeProxy"]["enabled"] is True


SIZES = st.builds("{}{}".format, st.integers(1, 5000), st.sampled_from(["Mi", "Gi", "Ti", "M", "G", "T"]))


@given(size=SIZES)
def test_prometheus_leaves_room_in_its_volume_by_itself(size: str) -> None:
    """Samples are dropped before the volume is full, whatever its size."""
    found = planned(prometheus={"size": size})
    kept = PrometheusBytes(values(found)["prometheus"]["prometheusSpec"]["retentionSize"]).bytes
    assert 0 < kept <= max(0.8 * Quantity(size).bytes, 2**20)


@given(size=SIZES, number=st.integers(1, 5000), unit=st.sampled_from(["MB", "MiB", "GB", "GiB", "TB"]))
def test_a_retention_size_beyond_the_volume_is_refused(size: str, number: int, unit: str) -> None:
    """Prometheus' GB is 1024 MB: 10GB do not fit into 10G."""
    found = planned(prometheus={"size": size, "retentionSize": f"{number}{unit}"}, grafana={"adminSecret": "admin"})
    fits = number * 1024 ** (" MGT".index(unit[0]) + 1) < Quantity(size).bytes
    assert [finding.id for finding in found.findings] == ([] if fits else ["monitoring/retention-size"])


@pytest.mark.parametrize(
    "described",
    [
        {"prometheus": {"retentionSize": "8Gi"}},
        {"prometheus": {"retention": "10"}},
        {"prometheus": {"retention": "1h2d"}},
        {"alertmanager": {"retention": "5d"}},
        {"releaseName": "x" * 54},
    ],
)
def test_what_the_operator_or_helm_would_refuse_is_refused_first(described: dict[str, Any]) -> None:
    """Each of them would fail the release in the cluster only."""
    with pytest.raises(ValidationError):
        planned(**described)


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({"version": "78.5.0"}, [(Severity.ERROR, "monitoring/default-password")]),
        ({"version": "78.5.0", "grafana": {"keepDefaultPassword": "a lab"}}, []),
        ({"version": "79.0.0"}, []),
        ({"version": "75.6.0", "grafana": {"adminSecret": "grafana-admin"}}, []),
        ({"version": "75.6.0", "values": {"grafana": {"admin": {"existingSecret": "mine"}}}}, []),
        ({"version": "79.0.0", "values": {"grafana": {"adminPassword": "x"}}}, [(Severity.ERROR, "monitoring/plain-password")]),
        ({"version": "v79.0.0"}, [(Severity.ERROR, "monitoring/chart-version")]),
    ],
)
def test_passwords_and_versions_are_told(described: dict[str, Any], expected: list[tuple[Severity, str]]) -> None:
    """F21: a default password is never silent; F22: a written one is refused."""
    assert [(finding.severity, finding.id) for finding in planned(**described).findings] == expected


def test_a_scrape_becomes_a_monitor_of_its_namespace() -> None:
    """In Prometheus' namespace, looking at the other one; nothing is written into a namespace that guards nothing."""
    found = planned(scrape(path="/prom"), namespace="watch")
    [monitor] = objects(found, "ServiceMonitor")
    assert monitor["metadata"] == {"name": "store", "namespace": "watch"}
    assert monitor["spec"] == {
        "namespaceSelector": {"matchNames": ["store-system"]},
        "selector": {"matchLabels": {"app": "store"}},
        "endpoints": [{"port": "metrics", "path": "/prom"}],
    }
    assert not objects(found, "NetworkPolicy")
    assert not objects(found, "PrometheusRule")


def test_a_guarded_port_is_opened_to_prometheus_alone() -> None:
    """Longhorn since 1.12.1 keeps everyone else out."""
    [policy] = objects(planned(scrape(guarded_port=9500, pod_labels={"pod": "store"}), namespace="watch"), "NetworkPolicy")
    assert policy["metadata"]["namespace"] == "store-system"
    assert policy["spec"]["podSelector"] == {"matchLabels": {"pod": "store"}}
    [rule] = policy["spec"]["ingress"]
    [peer] = rule["from"]
    assert peer["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "watch"}}
    assert peer["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}
    assert rule["ports"] == [{"protocol": "TCP", "port": 9500}]


def test_rules_and_dashboards_come_with_their_scrape() -> None:
    """The dashboard carries the label that Grafana's sidecar is told to look for."""
    found = planned(scrape(), ALERTS, SHOWN, grafana={"route": None})
    [rules] = objects(found, "PrometheusRule")
    assert rules["spec"]["groups"] == [{"name": "store", "rules": [RULE]}]
    [dashboard] = objects(found, "ConfigMap")
    sidecar = values(found)["grafana"]["sidecar"]["dashboards"]
    assert dashboard["metadata"]["labels"] == {sidecar["label"]: sidecar["labelValue"]}
    assert json.loads(dashboard["data"]["store.json"]) == {"title": "Store"}


@pytest.mark.parametrize("platform", [("2.6.1", "v1.31.0+k3s1"), ("2.9.5", "v1.37.1+k3s1")])
def test_every_object_is_one_that_the_cluster_accepts(platform: tuple[str, str]) -> None:
    """Against the schemas of the oldest and the newest versions."""
    flux, kubernetes = platform
    platform_of = Platform(cluster="home", flux=Version(flux), kubernetes=Version(kubernetes))
    found = planned(scrape(guarded_port=9500), ALERTS, SHOWN, platform=platform_of)
    schemas = Schemas(kubernetes=Version(kubernetes), flux=Version(flux))
    manifests = [item.object for one in found.layers for item in one.manifests]
    assert {item["kind"] for item in manifests} >= {"HelmRelease", "ServiceMonitor", "PrometheusRule", "NetworkPolicy"}
    for item in manifests:
        assert schemas.knows(item["apiVersion"], item["kind"])
        assert schemas.problems(item) == []


def test_grafana_serves_from_the_path_that_people_open() -> None:
    """No rewrite; and it is scraped there too, for elsewhere it redirects to the address outside."""
    found = planned()
    [route] = layer(found, "monitoring-routes").manifests
    assert route.object["data"] == {"service": "kube-prometheus-stack-grafana:80", "path": "/grafana", "strip": "False"}
    grafana = values(found)["grafana"]
    assert grafana["grafana.ini"]["server"] == {"root_url": "http://192.0.2.1:30080/grafana/", "serve_from_sub_path": True}
    assert grafana["serviceMonitor"] == {"path": "/grafana/metrics"}
    assert found.links == (Link("grafana", "http://192.0.2.1:30080/grafana"),)


def test_grafana_with_a_host_of_its_own_needs_no_path() -> None:
    """Then everything stays at its root."""
    grafana = values(planned(grafana={"route": {"host": "grafana.home.arpa", "path": "/"}}))["grafana"]
    assert grafana["grafana.ini"]["server"] == {"root_url": "http://grafana.home.arpa:30080/"}
    assert "serviceMonitor" not in grafana


def test_without_a_route_grafana_stays_inside() -> None:
    """No layer, for an empty directory would not build; no address, and Grafana as the chart has it."""
    found = planned(grafana={"route": None})
    assert [one.name for one in found.layers] == ["kube-prometheus-stack"]
    assert not found.links
    assert "grafana.ini" not in values(found)["grafana"]


@pytest.mark.parametrize(("release", "service"), [("watch", "watch-grafana"), ("my-grafana-stack", "my-grafana-stack")])
def test_the_route_leads_to_grafanas_service(release: str, service: str) -> None:
    """The chart adds its name to the release's only where it is not in there."""
    [route] = layer(planned(releaseName=release), "monitoring-routes").manifests
    assert route.object["data"]["service"] == f"{service}:80"


SERVERS = [
    Node.model_validate({"name": name, "cluster": "home", "address": address, "role": role, "state": state})
    for name, address, role, state in (
        ("a", "10.0.0.1", "server", "live"),
        ("b", "10.0.0.2", "server", "leaving"),
        ("c", "10.0.0.3", "server", "planned"),
        ("d", "10.0.0.4", "agent", "live"),
    )
]


@pytest.mark.parametrize("version", ["75.6.0", "88.5.3"])
def test_etcd_is_watched_where_fluxstead_tells_it_to_show_its_metrics(version: str) -> None:
    """Elsewhere nobody answers, and an alert would fire for ever."""
    settings = MonitoringSettings.model_validate({"version": version, "grafana": {"adminSecret": "a"}})
    own = plan(settings, PLATFORM._replace(configures_etcd=True), None, VOLUMES, SERVERS)
    assert values(own)["kubeEtcd"] == {"enabled": True, "endpoints": ["10.0.0.1", "10.0.0.2"]}
    assert [(one.key, one.value) for one in own.host_settings] == [("etcd-expose-metrics", True)]
    assert not unknown_values("kube-prometheus-stack", version, values(own))
    other = plan(settings, PLATFORM, None, VOLUMES, SERVERS)
    assert (values(other)["kubeEtcd"], other.host_settings) == ({"enabled": False}, ())


def test_without_watching_etcd_nothing_is_asked_of_it() -> None:
    """The way out of a contradiction with `config`."""
    said = {"version": "75.6.0", "values": {"kubeEtcd": {"enabled": False}}}
    own = plan(MonitoringSettings.model_validate(said), PLATFORM._replace(configures_etcd=True), None, VOLUMES, SERVERS)
    assert own.host_settings == ()
