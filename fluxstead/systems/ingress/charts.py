"""The charts of the two ingress controllers.

Sources: the CRDs and classes in kubernetes/ingress-nginx charts/ingress-nginx and
traefik/traefik-helm-chart traefik, at the tags of their releases.
"""

from __future__ import annotations

from fluxstead.catalog.brings import Brings, Part
from fluxstead.catalog.brings.gateway import GATEWAY_API, GATEWAY_API_1_4, GATEWAY_API_1_5
from fluxstead.catalog.brings.k3s import TRAEFIK as TRAEFIK_KINDS
from fluxstead.catalog.chart import Chart, ChartImage, MonitoredService, Values
from fluxstead.core.shape import mapping


def _nginx_classes(brings: Brings, values: Values) -> Brings:
    resource = mapping(mapping(values, "controller"), "ingressClassResource")
    name = str(resource.get("name") or "nginx")
    return brings._replace(
        ingress_classes=frozenset({name}) if resource.get("name") else brings.ingress_classes,
        default_ingress_class=name if resource.get("default") else None,
    )


def _traefik_classes(brings: Brings, values: Values) -> Brings:
    settings = mapping(values, "ingressClass")
    name = str(settings.get("name") or "traefik")
    default = settings.get("isDefaultClass", bool(brings.default_ingress_class)) and settings.get("enabled", True)
    return brings._replace(default_ingress_class=name if default else None)


INGRESS_NGINX = Chart(
    name="ingress-nginx",
    parts=(Part((4, 12), Brings(ingress_classes=frozenset({"nginx"}))),),
    with_values=_nginx_classes,
    stateless=True,
    # templates/controller-service.yaml and controller-service-metrics.yaml, which have the same labels.
    monitored=(
        MonitoredService(
            {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"},
            frozenset({"metrics", "http", "https"}),
            (4, 8, 0),
            ("controller", "metrics", "portName"),
        ),
    ),
    # charts/ingress-nginx/values.yaml; "only available in single platform versions", and published no more (kubernetes/
    # ingress-nginx#10245). The one for arm64 does not start under the user that the chart sets since 4.13 (#13724).
    images=(
        ChartImage(
            "registry.k8s.io/defaultbackend-amd64:1.5",
            frozenset({"amd64"}),
            switch=("defaultBackend", "enabled"),
            image=("defaultBackend", "image"),
            selector=("defaultBackend", "nodeSelector"),
        ),
    ),
)

TRAEFIK = Chart(
    name="traefik",
    title="Traefik",
    parts=(
        Part(
            (30,),
            Brings(crds=TRAEFIK_KINDS, ingress_classes=frozenset({"traefik"}), default_ingress_class="traefik"),
        ),
        Part((30,), Brings(crds=GATEWAY_API), until=(40, 2)),
        Part((37, 3), Brings(crds=GATEWAY_API_1_4), until=(40, 2)),
        Part((40,), Brings(crds=GATEWAY_API_1_5), until=(40, 2)),
    ),
    with_values=_traefik_classes,
    # templates/service-metrics.yaml
    monitored=(
        MonitoredService(
            {"app.kubernetes.io/name": "traefik", "app.kubernetes.io/component": "metrics"}, frozenset({"metrics"}), (25, 0, 0)
        ),
    ),
    inert_kinds=frozenset(one.kind for one in TRAEFIK_KINDS),
)
