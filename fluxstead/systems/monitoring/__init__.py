"""Monitoring: Prometheus, Alertmanager and Grafana on volumes, and what they watch."""

from fluxstead.systems.monitoring.manifests import plan
from fluxstead.systems.monitoring.system import MONITORING

__all__ = ["MONITORING", "plan"]
