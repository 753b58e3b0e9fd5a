"""Monitoring's own rules, over the description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.shape import at
from fluxstead.systems.monitoring.settings import MonitoringSettings
from fluxstead.systems.monitoring.stack import SIZE, VOLUME, overfull

CHART_VERSION = refuses(
    "monitoring/chart-version", "F4", "the versions of kube-prometheus-stack have no leading v: v75.6.0", "the description"
)
DEFAULT_PASSWORD = refuses(
    "monitoring/default-password",
    "F21",
    "Grafana has the password that chart 75.6.0 gives to everyone: prom-operator",
    "the description",
)
PLAIN_PASSWORD = refuses(
    "monitoring/plain-password", "F22", "Grafana's password is in the description in plain text", "the description"
)
RENAMED = refuses(
    "monitoring/renamed",
    "F21",
    "grafana.fullnameOverride gives Services other names than their routes are for",
    "the description",
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
CHECKS = (CHART_VERSION, DEFAULT_PASSWORD, PLAIN_PASSWORD, RENAMED, RETENTION_SIZE, UNKNOWN_VERSION)

_PASSWORDS = (("adminPassword",), ("grafana.ini", "security", "admin_password"), ("env", "GF_SECURITY_ADMIN_PASSWORD"))
"""The values of Grafana's chart that set its administrator's password."""
_OF_THE_STACK = (("fullnameOverride",), ("nameOverride",), ("namespaceOverride",))
_OF_GRAFANA = tuple(("grafana", *keys) for keys in _OF_THE_STACK)
_OLDEST = (75, 0, 0)
_RANDOM_PASSWORD_SINCE = (79, 0, 0)
"""Before, Grafana's password is `prom-operator` on every cluster (kube-prometheus-stack: UPGRADE.md, From 78.x to 79.x)."""


def findings_of(settings: MonitoringSettings, values: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong, or worth knowing; `values` are the chart's: the operator's merged over fluxstead's."""
    yield from _version(settings)
    yield from _retention(settings, values)
    yield from _renamed(settings)
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


def _retention(settings: MonitoringSettings, values: Mapping[str, Any]) -> Iterator[Finding]:
    """What is kept against the volume, whichever of the two is said in `values`."""
    if not overfull(values):
        return
    said = next((keys for keys in (SIZE, VOLUME) if at(settings.values, keys)), None)
    yield RETENTION_SIZE(
        settings.source_of("values", *said) if said else settings.prometheus.source_of("retentionSize"),
        what=f"retentionSize {at(values, SIZE)} does not fit into a volume of {at(values, VOLUME)}",
        why="Prometheus would fill the volume before it drops a sample, and stop",
        fix="no retentionSize, for 80 % of the volume, or a larger size",
    )


def _renamed(settings: MonitoringSettings) -> Iterator[Finding]:
    """Values by which a Service gets another name or namespace than its route is for."""
    stack = settings.prometheus.route or settings.alertmanager.route
    for keys in (*(_OF_THE_STACK if stack or settings.grafana.route else ()), *(_OF_GRAFANA if settings.grafana.route else ())):
        if at(settings.values, keys):
            yield RENAMED(
                settings.source_of("values", *keys),
                what=f"{'.'.join(keys)} gives Services other names than their routes are for",
                why="the ingress controller answers every request with an error (F21)",
                fix="no such value; or no route here (grafana: {route: null}), and one of your own",
            )


def _password(settings: MonitoringSettings, grafana: Mapping[str, Any]) -> Iterator[Finding]:
    plain = [keys for keys in _PASSWORDS if at(grafana, keys) and "${" not in str(at(grafana, keys))]
    for keys in plain:
        yield PLAIN_PASSWORD(
            settings.source_of("values", "grafana", *keys),
            what="Grafana's password is in the description in plain text",
            why="everyone who reads the repository can log in as administrator (F22)",
            fix="grafana: {adminSecret: …}, a Secret with the keys admin-user and admin-password",
        )
    known = settings.version.numbers < _RANDOM_PASSWORD_SINCE and settings.grafana.keep_default_password is None
    if known and not plain and not _has_secret(grafana):
        yield DEFAULT_PASSWORD(
            settings.grafana.source,
            what=f"Grafana has the password that chart {settings.version} gives to everyone: prom-operator",
            why="whoever reaches Grafana is its administrator (F21)",
            fix="grafana: {adminSecret: grafana-admin}, then ./run secrets set grafana-admin; or a chart since 79.0.0; or"
            " grafana: {keepDefaultPassword: the reason}",
        )


def _has_secret(grafana: Mapping[str, Any]) -> bool:
    return bool(_mapping(grafana.get("admin")).get("existingSecret"))


def _mapping(value: object) -> Mapping[str, Any]:
    """The mapping if it is one: the operator may have put anything there."""
    return value if isinstance(value, Mapping) else {}
