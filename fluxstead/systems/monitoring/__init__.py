"""Monitoring: Prometheus, Alertmanager and Grafana on volumes, and what they watch."""

from fluxstead.systems.monitoring.manifests import collector_of, plan
from fluxstead.systems.monitoring.system import MONITORING

__all__ = ["MONITORING", "collector_of", "plan"]
