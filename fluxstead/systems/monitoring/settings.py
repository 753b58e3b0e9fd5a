"""What an operator may say about monitoring; the only place of its defaults."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field

from fluxstead.core.access import Access, Group, HttpsUrl
from fluxstead.core.backup import Backups
from fluxstead.core.compute import ComputeResources
from fluxstead.core.described import Described
from fluxstead.core.names import HostName, Name
from fluxstead.core.network import UrlPath
from fluxstead.core.quantity import MEBIBYTE, Quantity, Size
from fluxstead.core.refusal import refuse
from fluxstead.core.version import Version
from fluxstead.core.written import Written
from fluxstead.systems.monitoring import footprint

_BYTES = re.compile(r"(\d+(?:\.\d+)?)([KMGTPE]?)i?B")
DAYS = re.compile(r"(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTPE]?)i?")
HOURS = re.compile(r"(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
"""The patterns of `retention` in the operator's Prometheus and Alertmanager."""


class PrometheusBytes(Written):
    """A size as in --storage.tsdb.retention.size; to Prometheus a KB is 1024 bytes, like a KiB."""

    __slots__ = ("bytes",)
    bytes: Final[float]

    def __init__(self, text: str) -> None:
        match = _BYTES.fullmatch(text)
        if match is None:
            raise ValueError(f"not a size: {text!r}")
        super().__init__(text)
        self.bytes = float(match[1]) * 1024.0 ** " KMGTPE".index(match[2] or " ")

    @classmethod
    def described(cls, value: object) -> Self:
        """A size that holds samples."""
        found = cls.read(value)
        if found is None:
            meant = _NUMBER.fullmatch(str(value))
            raise refuse(
                f"{value!r} is not a size in Prometheus' notation",
                why="the Prometheus operator refuses a Kubernetes quantity here",
                fix=f"{meant[1]}{meant[2] or 'G'}B" if meant else "a number with its unit, such as 8GB or 800MB",
            )
        if found.bytes < MEBIBYTE:
            raise refuse(
                f"{value!r} is less than a megabyte",
                why="Prometheus would drop every sample at once",
                fix="a number with its unit, such as 8GB or 800MB",
            )
        return found


def _retention(value: object) -> str:
    if isinstance(value, str) and value and DAYS.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not a duration that Prometheus knows",
        why="the Prometheus operator refuses any other notation",
        fix=f"{value}d" if str(value).isdecimal() else "whole numbers with their units, the longest first, such as 10d or 1w12h",
    )


def _alert_retention(value: object) -> str:
    if isinstance(value, str) and value and HOURS.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not a duration that Alertmanager knows",
        why="the Prometheus operator takes hours and less here, and no days",
        fix=_in_hours(str(value)) or "hours, such as 120h for five days",
    )


def _in_hours(text: str) -> str | None:
    """What was meant by days, or by a bare number."""
    number = text.removesuffix("d")
    if not number.isdecimal():
        return None
    return f"{number}h" if number == text else f"{int(number) * 24}h"


Retention = Annotated[str, BeforeValidator(_retention)]
"""How long Prometheus keeps samples, in the notation of the Prometheus custom resource."""

AlertRetention = Annotated[str, BeforeValidator(_alert_retention)]
"""How long Alertmanager keeps its data, in the notation of the Alertmanager custom resource."""


class UiRoute(Described):
    """Where something is reached, through the ingress controller."""

    host: HostName | None = Field(default=None, description="The host name of the route; without it, any host.")
    path: UrlPath = Field(default="/", description="The path of the route; what is behind it serves from there itself.")
    access: Access | None = Field(default=None, description="Who may come in; by default, what `access` of the cluster says.")


class PrometheusRoute(UiRoute):
    """Where Prometheus is reached."""

    path: UrlPath = Field(default="/prometheus", description="The path of the route; Prometheus itself serves from it.")


class AlertmanagerRoute(UiRoute):
    """Where Alertmanager is reached."""

    path: UrlPath = Field(default="/alertmanager", description="The path of the route; Alertmanager itself serves from it.")


class GrafanaRoute(UiRoute):
    """Where Grafana is reached. It asks for a name and a password itself."""

    path: UrlPath = Field(default="/grafana", description="The path of the route; Grafana itself serves from it.")


class PrometheusSettings(Described):
    """Prometheus and its volume."""

    size: Size = Field(default=Quantity("10Gi"), description="The size of the volume; an existing claim keeps its own.")
    retention: Retention = Field(default="10d", description="How long samples are kept.")
    retention_size: PrometheusBytes | None = Field(
        default=None,
        description="The most bytes of samples to keep, in Prometheus' notation; without it, 80 % of the volume.",
    )
    resources: ComputeResources = Field(
        default_factory=footprint.prometheus,
        description="What its pod gets; 100m and 400Mi by default, and no limit, which could kill it at each start.",
    )
    backup: Backups = Field(
        default=None, description="Of its volume: [hourly] beside what every volume has, {only: [weekly]}, or {none: why}."
    )
    route: PrometheusRoute | None = Field(default=None, description="The route to Prometheus; none by default.")


class AlertmanagerSettings(Described):
    """Alertmanager and its volume."""

    size: Size = Field(default=Quantity("1Gi"), description="The size of the volume; an existing claim keeps its own.")
    retention: AlertRetention = Field(default="120h", description="How long silences and notifications are remembered.")
    resources: ComputeResources = Field(
        default_factory=footprint.alertmanager, description="What its pod gets; 10m and 100Mi, up to 256Mi, by default."
    )
    config_secret: Name | None = Field(
        default=None,
        description="A Secret in the namespace with the key alertmanager.yaml: routes, and receivers with their credentials."
        " Without it, the chart's own, which tells nobody.",
    )
    backup: Backups = Field(
        default=None, description="Of its volume: [hourly] beside what every volume has, {only: [weekly]}, or {none: why}."
    )
    route: AlertmanagerRoute | None = Field(default=None, description="The route to Alertmanager; none by default.")


class GrafanaOidc(Described):
    """An identity provider that Grafana asks itself; its three addresses are in <issuer>/.well-known/openid-configuration."""

    secret: Name = Field(
        default="grafana-oidc", description="The Secret in the namespace with the keys client-id and client-secret."
    )
    authorization_url: HttpsUrl = Field(description="The provider's authorization_endpoint.")
    token_url: HttpsUrl = Field(description="The provider's token_endpoint.")
    userinfo_url: HttpsUrl = Field(description="The provider's userinfo_endpoint.")
    admins: tuple[Group, ...] = Field(default=(), description="Members of these groups administer Grafana.")
    editors: tuple[Group, ...] = Field(default=(), description="Members of these groups change dashboards.")
    viewers: tuple[Group, ...] = Field(
        default=(), description="Members of these groups look at them; by default, everybody whom the provider knows."
    )


class GrafanaSettings(Described):
    """Grafana, its volume, its administrator and its route."""

    size: Size = Field(default=Quantity("5Gi"), description="The size of the volume; a larger one enlarges the claim.")
    admin_secret: Name | None = Field(
        default=None,
        description="A Secret in the namespace with the keys admin-user and admin-password. Without it, the chart's own"
        " password: the same for everyone before 79.0.0, since then a random one in the Secret named like Grafana's Service.",
    )
    resources: ComputeResources = Field(
        default_factory=footprint.grafana, description="What Grafana itself gets; 100m and 256Mi, up to 1Gi, by default."
    )
    keep_default_password: str | None = Field(
        default=None, min_length=1, description="Why the chart's password, which everyone knows, is acceptable here."
    )
    oidc: GrafanaOidc | None = Field(default=None, description="People log in by an identity provider, besides its administrator.")
    backup: Backups = Field(
        default=None, description="Of its volume: [hourly] beside what every volume has, {only: [weekly]}, or {none: why}."
    )
    route: GrafanaRoute | None = Field(default_factory=GrafanaRoute, description="The route to Grafana; null for none.")


class MonitoringSettings(Described):
    """Prometheus, Alertmanager and Grafana, by the chart kube-prometheus-stack."""

    version: Version = Field(description="The version of the chart kube-prometheus-stack.")
    namespace: Name = Field(default="monitoring", description="The namespace of the release.")
    release_name: Name = Field(
        default="kube-prometheus-stack",
        max_length=53,
        description="The Helm release, of at most 53 characters; another name would install a second stack (F5).",
    )
    storage_class: Name | None = Field(
        default=None, description="The StorageClass of all volumes; without it, the default class of the cluster's storage."
    )
    prometheus: PrometheusSettings = Field(default_factory=PrometheusSettings, description="Prometheus and its volume.")
    alertmanager: AlertmanagerSettings = Field(default_factory=AlertmanagerSettings, description="Alertmanager and its volume.")
    grafana: GrafanaSettings = Field(default_factory=GrafanaSettings, description="Grafana, its volume and its route.")
    values: dict[str, Any] = Field(default_factory=dict, description="More chart values, merged over what fluxstead sets.")
