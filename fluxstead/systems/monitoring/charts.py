"""The chart of the monitoring stack, and Grafana's, which is part of it.

Sources: the CRDs in prometheus-community/helm-charts charts/kube-prometheus-stack, at the tags of its releases; both charts'
values.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.brings import Brings, Part, kinds
from fluxstead.catalog.chart import Chart, ClaimValue, OpenUi, SecretName, Values
from fluxstead.core.duration import Duration
from fluxstead.core.shape import mapping

_NAMES = (
    "Alertmanager AlertmanagerConfig PodMonitor Probe Prometheus PrometheusAgent PrometheusRule ScrapeConfig "
    "ServiceMonitor ThanosRuler"
)


def _of_grafana(values: Values) -> Iterator[SecretName]:
    admin = mapping(values, "admin")
    if values.get("enabled") is not False:
        keys = (str(admin.get("userKey", "admin-user")), str(admin.get("passwordKey", "admin-password")))
        yield SecretName(admin.get("existingSecret"), keys)


def _of_the_stack(values: Values) -> Iterator[SecretName]:
    yield from _of_grafana(mapping(values, "grafana"))


_OF_THE_OPERATOR = ("prometheus.prometheusSpec.storageSpec", "alertmanager.alertmanagerSpec.storage")
_TEMPLATE = "volumeClaimTemplate.spec"
"""prometheus-operator pkg/prometheus/server/operator.go: a set that cannot be changed is deleted and made anew."""


def _grafanas_claim(path: str) -> ClaimValue:
    return ClaimValue(path, "release", storage_class="storageClassName")


def _on_the_host(values: Values) -> str:
    exporter = mapping(values, "nodeExporter").get("enabled", True)
    return "the node exporter, which uses the host's network, processes and directories" if exporter else ""


def _crds_by_helm(values: Values) -> bool:
    """`crds.upgradeJob` replaces them itself (chart: charts/crds)."""
    crds = mapping(values, "crds")
    return crds.get("enabled") is not False and mapping(crds, "upgradeJob").get("enabled") is not True


KUBE_PROMETHEUS_STACK = Chart(
    name="kube-prometheus-stack",
    former_names=("prometheus-operator",),
    parts=(Part((75,), Brings(crds=kinds("monitoring.coreos.com", _NAMES))),),
    single=True,
    secrets=_of_the_stack,
    # templates/prometheus and templates/alertmanager: ingress.yaml, service.yaml; names as templates/_helpers.tpl makes them.
    open_uis=(
        OpenUi(
            name="Prometheus",
            services="prometheus-operated|.*kube-prom.*-prometheus",
            at_stake="it tells everything that runs here",
            ingress=("prometheus", "ingress"),
            http_route=("prometheus", "route", "main"),
            service=("prometheus", "service"),
        ),
        OpenUi(
            name="Alertmanager",
            services="alertmanager-operated|.*kube-prom.*-alertmanager",
            at_stake="it can silence every alert",
            ingress=("alertmanager", "ingress"),
            http_route=("alertmanager", "route", "main"),
            service=("alertmanager", "service"),
        ),
    ),
    claims=(
        *(
            ClaimValue(f"{path}.{_TEMPLATE}", "operator", size="resources.requests.storage", storage_class="storageClassName")
            for path in _OF_THE_OPERATOR
        ),
        _grafanas_claim("grafana.persistence"),
    ),
    on_the_host=_on_the_host,
    crds_by_helm=_crds_by_helm,
    takes=Duration("5m"),
    inert_kinds=frozenset({"ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig", "PrometheusRule", "AlertmanagerConfig"}),
)
GRAFANA = Chart(
    name="grafana",
    title="Grafana",
    secrets=_of_grafana,
    claims=(ClaimValue("persistence", "release", storage_class="storageClassName"),),
)
