"""The volumes of the stack, by the names that their claims get.

Sources: kube-prometheus-stack templates/_helpers.tpl (prometheus.crname, alertmanager.crname); prometheus-operator
pkg/operator/volumes.go, VolumeClaimName, and pkg/prometheus/server/statefulset.go, for what a StatefulSet is called; the chart
grafana, templates/pvc.yaml.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from fluxstead.systems.monitoring.names import grafana_service, stack_name
from fluxstead.systems.monitoring.settings import AlertmanagerSettings, GrafanaSettings, MonitoringSettings, PrometheusSettings
from fluxstead.tree.asks import VolumeClaim

LAYER = "kube-prometheus-stack"


class Claims(NamedTuple):
    """One for each of the three that keep something."""

    prometheus: VolumeClaim
    alertmanager: VolumeClaim
    grafana: VolumeClaim


def claims_of(settings: MonitoringSettings, storage_class: str) -> Claims:
    """What the stack claims. A StatefulSet's claim has the names of its template and of its pod."""
    stack, claim = stack_name(settings.release_name), partial(_claim, settings.namespace, storage_class)
    return Claims(
        claim(_of_the_operator("prometheus", stack), settings.prometheus),
        claim(_of_the_operator("alertmanager", stack), settings.alertmanager),
        claim(grafana_service(settings.release_name), settings.grafana),
    )


def _claim(
    namespace: str, storage_class: str, name: str, of: PrometheusSettings | AlertmanagerSettings | GrafanaSettings
) -> VolumeClaim:
    return VolumeClaim(
        namespace=namespace,
        name=name,
        layer=LAYER,
        storage_class=storage_class,
        size=of.size,
        source=of.source_of("backup"),
        backup=of.backup,
    )


def _of_the_operator(kind: str, stack: str) -> str:
    workload = f"{kind}-{stack}-{kind}"
    return f"{workload}-db-{workload}-0"
