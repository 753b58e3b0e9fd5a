"""Longhorn at a glance: one small Grafana dashboard, in Grafana's JSON model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluxstead.systems.longhorn.alerts import volumes

_WIDTH = 24
"""Columns of Grafana's grid."""


def _target(ref: str, expr: str, legend: str) -> dict[str, Any]:
    return {"refId": ref, "expr": expr, "legendFormat": legend}


def _panel(kind: str, title: str, unit: str, place: tuple[int, int, int, int], *targets: dict[str, Any]) -> dict[str, Any]:
    """A panel on the default data source; `place` is x, y, width and height in the grid."""
    x, y, width, height = place
    return {
        "type": kind,
        "title": title,
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": list(targets),
    }


DASHBOARD: Mapping[str, Any] = {
    "uid": "longhorn",
    "title": "Longhorn",
    "tags": ["longhorn"],
    "schemaVersion": 39,
    "time": {"from": "now-24h", "to": "now"},
    "refresh": "1m",
    "panels": [
        _panel(
            "stat",
            "Attached volumes",
            "none",
            (0, 0, _WIDTH // 2, 6),
            _target("A", f"count({volumes('healthy')}) or vector(0)", "healthy"),
            _target("B", f"count({volumes('degraded')}) or vector(0)", "degraded"),
            _target("C", f"count({volumes('faulted')}) or vector(0)", "faulted"),
        ),
        _panel(
            "stat",
            "Storage",
            "bytes",
            (_WIDTH // 2, 0, _WIDTH // 2, 6),
            _target("A", "sum(longhorn_disk_usage_bytes)", "used"),
            _target("B", "sum(longhorn_disk_reservation_bytes)", "reserved"),
            _target("C", "sum(longhorn_disk_capacity_bytes)", "capacity"),
        ),
        _panel(
            "timeseries",
            "Disk usage",
            "percent",
            (0, 6, _WIDTH // 2, 9),
            _target("A", "longhorn_disk_usage_bytes / longhorn_disk_capacity_bytes * 100", "{{node}} {{disk}}"),
        ),
        _panel(
            "timeseries",
            "Volume usage",
            "percent",
            (_WIDTH // 2, 6, _WIDTH // 2, 9),
            _target("A", "longhorn_volume_actual_size_bytes / longhorn_volume_capacity_bytes * 100", "{{pvc_namespace}}/{{pvc}}"),
        ),
    ],
}
