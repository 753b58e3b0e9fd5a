"""How the chart kube-prometheus-stack calls what it makes."""

from __future__ import annotations


def grafana_service(release_name: str) -> str:
    """The name of Grafana's Service (chart grafana: templates/_helpers.tpl, grafana.fullname)."""
    name = release_name if "grafana" in release_name else f"{release_name}-grafana"
    return name[:63].rstrip("-")


def stack_name(release_name: str) -> str:
    """What the names of Prometheus' and Alertmanager's Services begin with (templates/_helpers.tpl, fullname: 26 characters)."""
    chart = "kube-prometheus-stack"
    name = release_name if chart in release_name else f"{release_name}-{chart}"
    return name[:26].removesuffix("-")
