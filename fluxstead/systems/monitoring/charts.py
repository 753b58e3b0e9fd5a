"""The chart of the monitoring stack, and Grafana's, which is part of it.

Sources: the CRDs and the webhook configurations in prometheus-community/helm-charts charts/kube-prometheus-stack, at the tags of
its releases; both charts' values.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from fluxstead.catalog.brings import Brings, Part, Webhook, kinds, webhook
from fluxstead.catalog.chart import Chart, SecretName, Values
from fluxstead.core.shape import mapping

_NAMES = (
    "Alertmanager AlertmanagerConfig PodMonitor Probe Prometheus PrometheusAgent PrometheusRule ScrapeConfig "
    "ServiceMonitor ThanosRuler"
)
_RULES = kinds("monitoring.coreos.com", "PrometheusRule")
_ALERTS = kinds("monitoring.coreos.com", "AlertmanagerConfig")


def _operator(name: str, type_: Literal["validating", "mutating"], asked: frozenset[str]) -> Webhook:
    """One of the Prometheus operator's; `Ignore`, because the chart's job adds its certificate only afterwards."""
    return webhook(f"{name}.monitoring.coreos.com", type_, asked, failure_policy="Ignore")


def _of_grafana(values: Values) -> Iterator[SecretName]:
    admin = mapping(values, "admin")
    if values.get("enabled") is not False:
        keys = (str(admin.get("userKey", "admin-user")), str(admin.get("passwordKey", "admin-password")))
        yield SecretName(admin.get("existingSecret"), keys)


def _of_the_stack(values: Values) -> Iterator[SecretName]:
    yield from _of_grafana(mapping(values, "grafana"))


KUBE_PROMETHEUS_STACK = Chart(
    name="kube-prometheus-stack",
    former_names=("prometheus-operator",),
    parts=(
        Part(
            "75",
            Brings(crds=kinds("monitoring.coreos.com", _NAMES), webhooks=(_operator("prometheusrulemutate", "mutating", _RULES),)),
        ),
        # Until then the validating webhook had the mutating one's name.
        Part("75", Brings(webhooks=(_operator("prometheusrulemutate", "validating", _RULES),)), until="78.3"),
        Part(
            "78.3",
            Brings(
                webhooks=(
                    _operator("prometheusrulevalidate", "validating", _RULES),
                    _operator("alertmanagerconfigsvalidate", "validating", _ALERTS),
                ),
            ),
        ),
    ),
    single=True,
    secrets=_of_the_stack,
    open_values=frozenset(
        {"crds", "global", "grafana", "kube-state-metrics", "prometheus-node-exporter", "prometheus-windows-exporter"}
    ),
    inert_kinds=frozenset({"ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig", "PrometheusRule", "AlertmanagerConfig"}),
)
GRAFANA = Chart(name="grafana", title="Grafana", secrets=_of_grafana)
