"""What monitoring says of itself."""

from __future__ import annotations

from fluxstead.checks.subject import planned
from fluxstead.core.findings import Severity
from fluxstead.system import System
from fluxstead.systems.monitoring.charts import GRAFANA, KUBE_PROMETHEUS_STACK

MONITORING = System(
    name="monitoring",
    key="monitoring",
    does="Prometheus, Alertmanager and Grafana, and what they watch",
    charts=(KUBE_PROMETHEUS_STACK, GRAFANA),
    checks=(
        planned("monitoring/chart-version", "F4", "the versions of kube-prometheus-stack carry no leading v: v75.6.0"),
        planned("monitoring/plain-password", "F22", "Grafana's password stands in the description in plain text"),
        planned("monitoring/retention-size", "F19", "retentionSize 20GB does not fit into a volume of 10Gi"),
        planned("monitoring/unknown-version", "U5", "kube-prometheus-stack 60.0.0 is older than the versions that fluxstead knows"),
        planned(
            "monitoring/default-password",
            "F21",
            "Grafana has the password that chart 75.6.0 gives to everyone: prom-operator",
            Severity.WARNING,
        ),
    ),
)
