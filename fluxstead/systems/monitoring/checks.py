"""Monitoring's own rules, over the description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.systems.monitoring.settings import MonitoringSettings

CHART_VERSION = refuses(
    "monitoring/chart-version", "F4", "the versions of kube-prometheus-stack have no leading v: v75.6.0", "the description"
)
DEFAULT_PASSWORD = warns(
    "monitoring/default-password",
    "F21",
    "Grafana has the password that chart 75.6.0 gives to everyone: prom-operator",
    "the description",
)
PLAIN_PASSWORD = refuses(
    "monitoring/plain-password", "F22", "Grafana's password is in the description in plain text", "the description"
)
RETENTION_SIZE = refuses(
    "monitoring/retention-size", "F19", "retentionSize 20GB does not fit into a volume of 10Gi", "the description"
)
UNKNOWN_VERSION = refuses(
    "monitoring/unknown-version",
    "U5",
    "kube-prometheus-stack 60.0.0 is older than the versions that fluxstead knows",
    "the description",
)
CHECKS = (CHART_VERSION, DEFAULT_PASSWORD, PLAIN_PASSWORD, RETENTION_SIZE, UNKNOWN_VERSION)

_OLDEST = (75, 0, 0)
_RANDOM_PASSWORD_SINCE = (79, 0, 0)
"""Before, Grafana's password is `prom-operator` on every cluster (kube-prometheus-stack: UPGRADE.md, From 78.x to 79.x)."""


def findings_of(settings: MonitoringSettings, values: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong, or worth knowing; `values` are the chart's: the operator's merged over fluxstead's."""
    yield from _version(settings)
    yield from _retention(settings)
    yield from _password(settings, _mapping(values.get("grafana")))


def _version(settings: MonitoringSettings) -> Iterator[Finding]:
    if settings.version.text.startswith("v"):
        yield CHART_VERSION(
            settings.source_of("version"),
            what=f"the versions of kube-prometheus-stack have no leading v: {settings.version}",
            why="no chart of that version exists (F4)",
            fix=settings.version.text.removeprefix("v"),
        )
    if settings.version.numbers < _OLDEST:
        yield UNKNOWN_VERSION(
            settings.source_of("version"),
            what=f"kube-prometheus-stack {settings.version} is older than the versions that fluxstead knows",
            why="what it brings is not known, so neither is when others can use it (U5)",
            fix="75.6.0, or a newer version",
        )


def _retention(settings: MonitoringSettings) -> Iterator[Finding]:
    prometheus = settings.prometheus
    if prometheus.retention_size and prometheus.retention_size.bytes >= prometheus.size.bytes:
        yield RETENTION_SIZE(
            prometheus.source_of("retentionSize"),
            what=f"retentionSize {prometheus.retention_size} does not fit into a volume of {prometheus.size}",
            why="Prometheus would fill the volume before it drops a sample, and stop",
            fix="no retentionSize, for 80 % of the volume, or a larger size",
        )


def _password(settings: MonitoringSettings, grafana: Mapping[str, Any]) -> Iterator[Finding]:
    if grafana.get("adminPassword"):
        yield PLAIN_PASSWORD(
            settings.source_of("values", "grafana", "adminPassword"),
            what="Grafana's password is in the description in plain text",
            why="everyone who reads the repository can log in as administrator (F22)",
            fix="grafana: {adminSecret: …}, a Secret with the keys admin-user and admin-password",
        )
    elif not _has_secret(grafana) and settings.version.numbers < _RANDOM_PASSWORD_SINCE:
        yield DEFAULT_PASSWORD(
            settings.grafana.source,
            what=f"Grafana has the password that chart {settings.version} gives to everyone: prom-operator",
            why="whoever reaches Grafana is its administrator (F21)",
            fix="grafana: {adminSecret: …}, a Secret with the keys admin-user and admin-password; or a chart since 79.0.0",
        )


def _has_secret(grafana: Mapping[str, Any]) -> bool:
    return bool(_mapping(grafana.get("admin")).get("existingSecret"))


def _mapping(value: object) -> Mapping[str, Any]:
    """The mapping if it is one: the operator may have put anything there."""
    return value if isinstance(value, Mapping) else {}
