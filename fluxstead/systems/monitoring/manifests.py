"""Monitoring's layers: the stack, then what it collects, alerts on and shows for all systems."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from fluxstead.core.helm import DRIFT_DETECTION, install_and_upgrade
from fluxstead.core.manifest import KEEP, Manifest
from fluxstead.core.names import bounded
from fluxstead.core.platform import Platform
from fluxstead.core.pod_security import pod_security
from fluxstead.core.shape import at, merged
from fluxstead.nodes.model import Node
from fluxstead.systems.monitoring.checks import findings_of
from fluxstead.systems.monitoring.claims import LAYER, claims_of
from fluxstead.systems.monitoring.routes import reached_by, routes_of
from fluxstead.systems.monitoring.settings import MonitoringSettings
from fluxstead.systems.monitoring.values import DASHBOARD_LABEL, DASHBOARD_VALUE, on_etcd, on_tainted, values_of
from fluxstead.tree.asks import AlertRules, CollectorPods, Dashboard, HostSetting, Router, Scrape, SecretKey, SecretNeed, Volumes
from fluxstead.tree.layer import Layer, Plan

_PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
"""What the operator gives its pods (prometheus-operator: pkg/prometheus, makeSelectorLabels)."""


def plan(
    settings: MonitoringSettings | None,
    platform: Platform,
    router: Router | None,
    volumes: Volumes,
    nodes: Sequence[Node],
) -> Plan:
    """The layers that watch this cluster, and what observes for all systems; none where the description has no monitoring.

    `router` says where people reach what has a route.
    """
    if settings is None:
        return Plan()
    claims = claims_of(settings, volumes.class_of(settings.storage_class))
    ours = values_of(settings, claims, volumes, reached_by(router, settings))
    ours = merged(merged(ours, on_tainted(nodes)), on_etcd(platform, nodes))
    values = merged(ours, settings.values)
    return Plan(
        layers=(_stack(settings, platform, values),),
        routes=tuple(routes_of(settings)),
        observe=partial(_observed, settings),
        secrets=tuple(_needs(settings)),
        claims=claims,
        host_settings=tuple(_exposed(settings, platform, values)),
        findings=tuple(findings_of(settings, values)),
    )


def _needs(settings: MonitoringSettings) -> Iterator[SecretNeed]:
    grafana, alertmanager = settings.grafana, settings.alertmanager
    if grafana.admin_secret:
        yield SecretNeed(
            namespace=settings.namespace,
            name=grafana.admin_secret,
            layer=LAYER,
            purpose="Grafana's administrator",
            source=grafana.source_of("adminSecret"),
            keys=(
                SecretKey(name="admin-user", form="one line", hint="such as admin"),
                SecretKey(name="admin-password", form="one line", maker="password"),
            ),
        )
    if grafana.oidc:
        yield SecretNeed(
            namespace=settings.namespace,
            name=grafana.oidc.secret,
            layer=LAYER,
            purpose="the client by which Grafana asks the identity provider",
            source=grafana.oidc.source_of("secret"),
            keys=(SecretKey(name="client-id", form="one line"), SecretKey(name="client-secret", form="one line")),
        )
    if alertmanager.config_secret:
        yield SecretNeed(
            namespace=settings.namespace,
            name=alertmanager.config_secret,
            layer=LAYER,
            purpose="whom Alertmanager tells, and how it gets in there",
            source=alertmanager.source_of("configSecret"),
            keys=(SecretKey(name="alertmanager.yaml", form="Alertmanager's configuration"),),
        )


def _exposed(settings: MonitoringSettings, platform: Platform, values: Mapping[str, Any]) -> Iterator[HostSetting]:
    """etcd tells its metrics to its own machine alone, unless it is told to."""
    if platform.configures_etcd and at(values, ("kubeEtcd", "enabled")) is True:
        yield HostSetting(
            key="etcd-expose-metrics",
            value=True,
            purpose="Prometheus collects etcd's metrics",
            instead="fluxstead:monitoring: {values: {kubeEtcd: {enabled: false}}}",
            source=settings.source,
        )


def collector_of(settings: MonitoringSettings | None) -> CollectorPods | None:
    """Prometheus' pods, for network policies that let them in; None without monitoring."""
    return CollectorPods(settings.namespace, _PROMETHEUS) if settings else None


def _observed(
    settings: MonitoringSettings, scrapes: Sequence[Scrape], alerts: Sequence[AlertRules], dashboards: Sequence[Dashboard]
) -> tuple[Layer, ...]:
    """Their own layer: the CRDs come with the stack, which needs volumes, so storage cannot bring its own monitors."""
    namespace = settings.namespace
    about: dict[str, list[Manifest]] = defaultdict(list)
    for scrape in scrapes:
        about[scrape.name] += (Manifest(obj, scrape.source) for obj in _objects(scrape, namespace))
    for alert in alerts:
        about[alert.name].append(Manifest(_rules(alert, namespace), alert.source))
    for dashboard in dashboards:
        about[dashboard.name].append(Manifest(_dashboard(dashboard, namespace), dashboard.source))
    manifests = tuple(manifest for each in about.values() for manifest in each)
    source = settings.source
    return (Layer(name="monitoring-scrapes", group="monitoring", source=source, manifests=manifests),) if manifests else ()


def _stack(settings: MonitoringSettings, platform: Platform, values: Mapping[str, Any]) -> Layer:
    source = settings.source
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": settings.namespace,
            # The node exporter looks at the host's processes, network and filesystems.
            "labels": pod_security("privileged", platform),
            "annotations": dict(KEEP),
        },
    }
    repository = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmRepository",
        "metadata": {"name": "prometheus-community", "namespace": settings.namespace},
        "spec": {"interval": "12h", "url": "https://prometheus-community.github.io/helm-charts"},
    }
    release = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": settings.release_name, "namespace": settings.namespace, "annotations": dict(KEEP)},
        "spec": {
            "releaseName": settings.release_name,
            "chart": {
                "spec": {
                    "chart": "kube-prometheus-stack",
                    "version": str(settings.version),
                    "sourceRef": {"kind": "HelmRepository", "name": "prometheus-community"},
                }
            },
            "interval": "10m",
            # A gigabyte of images, hooks before and after, and a first volume to attach (F17).
            "timeout": "20m",
            **install_and_upgrade(platform),
            "driftDetection": {
                **DRIFT_DETECTION,
                # The operator's webhook adds it, but is not there yet when the release's own rules are first written.
                "ignore": [
                    {
                        "paths": ["/metadata/annotations/prometheus-operator-validated"],
                        "target": {"kind": "PrometheusRule"},
                    }
                ],
            },
            "values": values,
        },
    }
    return Layer(
        name=LAYER,
        group="monitoring",
        source=source,
        manifests=tuple(Manifest(obj, source) for obj in (namespace, repository, release)),
        keeps_data=True,
    )


def _objects(scrape: Scrape, namespace: str) -> Iterator[dict[str, Any]]:
    yield _service_monitor(scrape, namespace)
    if scrape.guarded_port is not None:
        yield _admission(scrape, scrape.guarded_port, namespace)


def _rules(alerts: AlertRules, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": alerts.name, "namespace": namespace},
        "spec": {"groups": [{"name": alerts.name, "rules": [dict(rule) for rule in alerts.rules]}]},
    }


def _dashboard(dashboard: Dashboard, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": bounded(f"dashboard-{dashboard.name}"),
            "namespace": namespace,
            "labels": {DASHBOARD_LABEL: DASHBOARD_VALUE},
        },
        "data": {f"{dashboard.name}.json": json.dumps(dashboard.model, indent=2) + "\n"},
    }


def _service_monitor(scrape: Scrape, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": scrape.name, "namespace": namespace},
        "spec": {
            "namespaceSelector": {"matchNames": [scrape.namespace]},
            "selector": {"matchLabels": dict(scrape.labels)},
            "endpoints": [{"port": scrape.port, "path": scrape.path}],
        },
    }


def _admission(scrape: Scrape, port: int, namespace: str) -> dict[str, Any]:
    """Lets Prometheus in besides what the pods' own policies admit; policies add up."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": bounded(f"{scrape.name}-from-prometheus"), "namespace": scrape.namespace},
        "spec": {
            "podSelector": {"matchLabels": dict(scrape.pod_labels or scrape.labels)},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [
                        {
                            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                            "podSelector": {"matchLabels": dict(_PROMETHEUS)},
                        }
                    ],
                    "ports": [{"protocol": "TCP", "port": port}],
                }
            ],
        },
    }
