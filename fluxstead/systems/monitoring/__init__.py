"""Monitoring: Prometheus, Alertmanager and Grafana on volumes, and what they watch."""

from fluxstead.systems.monitoring.manifests import plan

__all__ = ["plan"]
