"""What to be told about Longhorn: alert rules over its metrics, right for every version from 1.5 on.

Longhorn's own examples (website: monitoring/alert-rules-example.md), and two that they lack: disks and backups. Where a version
lacks a metric, as 1.5 does `longhorn_disk_status`, its rule stays silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

_ROBUSTNESS = {"healthy": 1, "degraded": 2, "faulted": 3}


def volumes(robustness: Literal["healthy", "degraded", "faulted"]) -> str:
    """PromQL for the volumes in this condition.

    Up to 1.10 a volume has one series, whose value is the condition; since 1.11 one series for each `state`, of value 1 or 0
    (longhorn-manager: metrics_collector/volume_collector.go).
    """
    metric = "longhorn_volume_robustness"
    return f'{metric}{{state=""}} == {_ROBUSTNESS[robustness]} or {metric}{{state="{robustness}"}} == 1'


def _rule(name: str, expr: str, severity: str, summary: str) -> Mapping[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": "5m",
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }


_NODES_DOWN = (
    "(avg(longhorn_node_count_total) or on() vector(0))"
    ' - (count(longhorn_node_status{condition="ready"} == 1) or on() vector(0)) > 0'
)

RULES: tuple[Mapping[str, Any], ...] = (
    _rule("LonghornVolumeStatusCritical", volumes("faulted"), "critical", "Longhorn volume {{ $labels.volume }} is faulted"),
    _rule("LonghornVolumeStatusWarning", volumes("degraded"), "warning", "Longhorn volume {{ $labels.volume }} is degraded"),
    _rule(
        "LonghornVolumeActualSpaceUsedWarning",
        "(longhorn_volume_actual_size_bytes / longhorn_volume_capacity_bytes) * 100 > 90",
        "warning",
        'Longhorn volume {{ $labels.volume }} fills {{ $value | printf "%.0f" }} % of its size',
    ),
    _rule(
        "LonghornDiskNotReady",
        'longhorn_disk_status{condition="ready"} == 0',
        "critical",
        "Longhorn disk {{ $labels.disk }} of node {{ $labels.node }} is not ready",
    ),
    _rule(
        "LonghornDiskStorageWarning",
        "(longhorn_disk_usage_bytes / longhorn_disk_capacity_bytes) * 100 > 70",
        "warning",
        'Longhorn disk {{ $labels.disk }} of node {{ $labels.node }} is {{ $value | printf "%.0f" }} % full',
    ),
    _rule(
        "LonghornNodeStorageWarning",
        "(longhorn_node_storage_usage_bytes / longhorn_node_storage_capacity_bytes) * 100 > 70",
        "warning",
        'The Longhorn disks of node {{ $labels.node }} are {{ $value | printf "%.0f" }} % full',
    ),
    _rule("LonghornNodeDown", _NODES_DOWN, "critical", "{{ $value }} Longhorn node(s) are not ready"),
    _rule(
        "LonghornBackupFailed",
        "longhorn_backup_state == 4",
        "warning",
        "Longhorn backup {{ $labels.backup }} of volume {{ $labels.volume }} failed",
    ),
)
