"""The values of the chart kube-prometheus-stack, as 75 to 88 read them (values.yaml of the chart and of its grafana subchart)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fluxstead.core.platform import Platform
from fluxstead.core.shape import merged
from fluxstead.nodes.model import Node
from fluxstead.systems.monitoring import footprint
from fluxstead.systems.monitoring.claims import Claims
from fluxstead.systems.monitoring.settings import GrafanaOidc, GrafanaSettings, MonitoringSettings
from fluxstead.tree.asks import VolumeClaim, Volumes

DASHBOARD_LABEL, DASHBOARD_VALUE = "grafana_dashboard", "1"
"""The label of the ConfigMaps that Grafana's sidecar loads."""

_MEBIBYTE = 2**20


class Reached(NamedTuple):
    """The address that people use, and the path in it."""

    url: str
    path: str


def values_of(settings: MonitoringSettings, claims: Claims, volumes: Volumes, reached: Mapping[str, Reached]) -> dict[str, Any]:
    """What fluxstead sets; `reached`: by its name, where each is that has a route."""
    ours = {
        # In k3s these are threads of one process, which exposes their metrics on localhost only, or not at all.
        "kubeControllerManager": {"enabled": False},
        "kubeEtcd": {"enabled": False},
        "kubeProxy": {"enabled": False},
        "kubeScheduler": {"enabled": False},
        "prometheus": {
            "prometheusSpec": {**_prometheus(settings, _claim(claims.prometheus, volumes)), **_below(reached.get("prometheus"))}
        },
        "alertmanager": {
            "alertmanagerSpec": {
                "retention": settings.alertmanager.retention,
                "storage": _claim(claims.alertmanager, volumes),
                "resources": settings.alertmanager.resources.written(),
                **_receivers(settings),
                **_below(reached.get("alertmanager")),
            }
        },
        "grafana": _grafana(settings.grafana, claims.grafana, volumes, reached.get("grafana")),
    }
    return merged(ours, footprint.others())


def on_tainted(nodes: Sequence[Node]) -> dict[str, Any]:
    """What lets the node exporter run on every machine: by default it tolerates NoSchedule only (its chart: values.yaml)."""
    evicting = any(taint.effect == "NoExecute" for node in nodes for taint in node.taints)
    return {"prometheus-node-exporter": {"tolerations": [{"operator": "Exists"}]}} if evicting else {}


def on_etcd(platform: Platform, nodes: Sequence[Node]) -> dict[str, Any]:
    """What collects etcd's metrics, once servers expose them at their own addresses too (k3s: pkg/etcd, listenMetricsURLs).

    Everything about it that the chart has by default is right for k3s: port 2381, plain HTTP, alerts and dashboard.
    """
    servers = [str(node.address) for node in nodes if node.role == "server" and node.joined]
    return {"kubeEtcd": {"enabled": True, "endpoints": servers}} if platform.configures_etcd and servers else {}


def retention_size(settings: MonitoringSettings) -> str:
    """What Prometheus may fill: 80 % of the volume, since the log and compaction need room too (Prometheus: storage.md)."""
    written = settings.prometheus.retention_size
    return str(written) if written else f"{max(1, settings.prometheus.size.bytes * 8 // 10 // _MEBIBYTE)}MB"


def _prometheus(settings: MonitoringSettings, storage: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "retention": settings.prometheus.retention,
        "retentionSize": retention_size(settings),
        # By default the chart's Prometheus only sees what carries its own release's label.
        "serviceMonitorSelectorNilUsesHelmValues": False,
        "podMonitorSelectorNilUsesHelmValues": False,
        "probeSelectorNilUsesHelmValues": False,
        "scrapeConfigSelectorNilUsesHelmValues": False,
        "ruleSelectorNilUsesHelmValues": False,
        "storageSpec": storage,
        "resources": settings.prometheus.resources.written(),
    }


def _receivers(settings: MonitoringSettings) -> dict[str, Any]:
    """The chart then makes no Secret of its own (templates/alertmanager/secret.yaml), and the operator reads the described one."""
    secret = settings.alertmanager.config_secret
    return {"useExistingSecret": True, "configSecret": secret} if secret else {}


def _claim(claim: VolumeClaim, volumes: Volumes) -> dict[str, Any]:
    labels = _chosen(claim, volumes)
    return {
        "volumeClaimTemplate": {
            **({"metadata": {"labels": labels}} if labels else {}),
            "spec": {
                "storageClassName": claim.storage_class,
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": str(claim.size)}},
            },
        }
    }


def _chosen(claim: VolumeClaim, volumes: Volumes) -> dict[str, str]:
    """Nothing where nobody chose: the template of a StatefulSet is never changed for what every volume has anyhow."""
    return dict(volumes.labels(claim.storage_class, claim.backup)) if claim.backup else {}


def _grafana(settings: GrafanaSettings, claim: VolumeClaim, volumes: Volumes, reached: Reached | None) -> dict[str, Any]:
    return {
        **({"admin": {"existingSecret": settings.admin_secret}} if settings.admin_secret else {}),
        # A rolling update would wait forever: the new pod cannot have the volume that the old one holds.
        "deploymentStrategy": {"type": "Recreate"},
        "resources": settings.resources.written(),
        "persistence": {
            "enabled": True,
            # A claim of its own, which grows when `size` does; the template of a StatefulSet ("sts") can never change.
            "type": "pvc",
            "storageClassName": claim.storage_class,
            "accessModes": ["ReadWriteOnce"],
            "size": str(settings.size),
            # The claim is part of the release, and would go with it (U10).
            "annotations": {"helm.sh/resource-policy": "keep"},
            **({"extraPvcLabels": labels} if (labels := _chosen(claim, volumes)) else {}),
        },
        "sidecar": {
            "dashboards": {
                "enabled": True,
                "label": DASHBOARD_LABEL,
                "labelValue": DASHBOARD_VALUE,
                "searchNamespace": "ALL",
            }
        },
        **merged(_served(reached), _logging_in(settings.oidc) if settings.oidc else {}),
    }


def _logging_in(oidc: GrafanaOidc) -> dict[str, Any]:
    """Grafana's own OIDC. Its administrator's password stays a way in, for the night on which the provider is down."""
    keys = {"CLIENT_ID": "client-id", "CLIENT_SECRET": "client-secret"}
    strict = bool(oidc.viewers)
    return {
        "envValueFrom": {
            f"GF_AUTH_GENERIC_OAUTH_{name}": {"secretKeyRef": {"name": oidc.secret, "key": key}} for name, key in keys.items()
        },
        "grafana.ini": {
            "auth.generic_oauth": {
                "enabled": True,
                "name": "OIDC",
                "scopes": "openid profile email groups" if oidc.admins or oidc.editors or strict else "openid profile email",
                "auth_url": oidc.authorization_url,
                "token_url": oidc.token_url,
                "api_url": oidc.userinfo_url,
                "use_pkce": True,
                "role_attribute_path": _role(oidc),
                "role_attribute_strict": strict,
            }
        },
    }


def _role(oidc: GrafanaOidc) -> str:
    """JMESPath: the first role whose groups one is in; without groups for those who look, everybody looks."""
    of = (("Admin", oidc.admins), ("Editor", oidc.editors), ("Viewer", oidc.viewers))
    said = [f"contains(groups[*], '{group}') && '{role}'" for role, groups in of for group in groups]
    return " || ".join(said if oidc.viewers else [*said, "'Viewer'"])


def _below(reached: Reached | None) -> Mapping[str, Any]:
    """Tells Prometheus or Alertmanager the address that people use; the chart tells whoever else asks them."""
    if reached is None:
        return {}
    return {"externalUrl": reached.url, **({"routePrefix": reached.path} if reached.path != "/" else {})}


def _served(reached: Reached | None) -> Mapping[str, Any]:
    """Tells Grafana the address that people use, so that it serves from its path without a rewrite."""
    if reached is None:
        return {}
    below = reached.path != "/"
    server = {"root_url": f"{reached.url.rstrip('/')}/", **({"serve_from_sub_path": True} if below else {})}
    # Outside its path Grafana answers with a redirect to root_url, which is no place to scrape
    # (grafana: pkg/middleware/subpath_redirect.go).
    scraped = {"serviceMonitor": {"path": f"{reached.path}/metrics"}} if below else {}
    return {"grafana.ini": {"server": server}, **scraped}
