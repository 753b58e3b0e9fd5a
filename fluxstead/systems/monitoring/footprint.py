"""What the parts of the stack ask for and cannot exceed, where the description says nothing.

Without requests the scheduler takes the stack for nothing, and the kernel kills it first when a machine runs out of memory. The
figures are those of the operator's own distribution for the same programs (prometheus-operator/kube-prometheus:
jsonnet/kube-prometheus/components), but for three things. Nothing has a limit of CPU, which would show as gaps in the metrics just
when a machine is busy. Prometheus has no limit of memory: at a start it reads its log back and needs more than it ran with, so that
a limit that kills it once kills it each time. And Alertmanager and Grafana may have more: 192Mi were seen to be too little for
Grafana (teutonet/teutonet-helm-charts#2392).
"""

from __future__ import annotations

from typing import Any

from fluxstead.core.compute import ComputeResources, resources


def prometheus() -> ComputeResources:
    """Prometheus, which grows with the number of series: 1.3Gi were measured elsewhere (DOME-Marketplace/dome-gitops#2672)."""
    return resources("100m", "400Mi")


def alertmanager() -> ComputeResources:
    """Alertmanager."""
    return resources("10m", "100Mi", "256Mi")


def grafana() -> ComputeResources:
    """Grafana itself."""
    return resources("100m", "256Mi", "1Gi")


def others() -> dict[str, Any]:
    """The values for the parts that have no settings of their own; all of it can be said otherwise in `values`."""
    return {
        "prometheusOperator": {
            "resources": resources("100m", "100Mi", "200Mi").written(),
            # The operator's own default for what it puts beside Prometheus (cmd/operator/main.go), which the chart sets to nothing.
            "prometheusConfigReloader": {"resources": resources("10m", "50Mi").written()},
        },
        "kube-state-metrics": {"resources": resources("10m", "190Mi", "250Mi").written()},
        "prometheus-node-exporter": {"resources": resources("100m", "180Mi", "180Mi").written()},
        # Without a request of theirs, Grafana's pod counts as one that has none (DOME-Marketplace/dome-gitops#2672).
        "grafana": {"sidecar": {"resources": resources("10m", "96Mi").written()}},
    }
