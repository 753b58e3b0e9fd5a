"""What monitoring declares about itself."""

from __future__ import annotations

from fluxstead.system import System
from fluxstead.systems.monitoring import checks, monitors, stack
from fluxstead.systems.monitoring.charts import GRAFANA, KUBE_PROMETHEUS_STACK

MONITORING = System(
    name="monitoring",
    key="monitoring",
    does="Prometheus, Alertmanager and Grafana, and what they watch",
    charts=(KUBE_PROMETHEUS_STACK, GRAFANA),
    planned=checks.CHECKS,
    rules=(*stack.RULES, *monitors.RULES),
)
