"""What the charts other than Longhorn's bring.

Sources: the CRDs and the templates of the webhook configurations and classes in kubernetes/ingress-nginx
charts/ingress-nginx, prometheus-community/helm-charts charts/kube-prometheus-stack, cert-manager/cert-manager
deploy/charts/cert-manager and traefik/traefik-helm-chart traefik, at the tags of their releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from fluxstead.catalog.brings.model import Brings, Part, Webhook, kinds, webhook

GATEWAY_API = kinds("gateway.networking.k8s.io", "GatewayClass Gateway GRPCRoute HTTPRoute ReferenceGrant")
GATEWAY_API_1_4 = GATEWAY_API | kinds("gateway.networking.k8s.io", "BackendTLSPolicy")
GATEWAY_API_1_5 = GATEWAY_API_1_4 | kinds("gateway.networking.k8s.io", "ListenerSet TLSRoute")
"""The standard channel of the Gateway API as it grew; 1.4 and 1.5 are its own versions."""

TRAEFIK = kinds(
    "traefik.io",
    "IngressRoute IngressRouteTCP IngressRouteUDP Middleware MiddlewareTCP ServersTransport ServersTransportTCP "
    "TLSOption TLSStore TraefikService",
)
_CERT_MANAGER = kinds("cert-manager.io", "Certificate CertificateRequest ClusterIssuer Issuer")
_ACME = kinds("acme.cert-manager.io", "Challenge Order")
_PROMETHEUS = kinds(
    "monitoring.coreos.com",
    "Alertmanager AlertmanagerConfig PodMonitor Probe Prometheus PrometheusAgent PrometheusRule ScrapeConfig "
    "ServiceMonitor ThanosRuler",
)
_RULES = kinds("monitoring.coreos.com", "PrometheusRule")
_ALERTS = kinds("monitoring.coreos.com", "AlertmanagerConfig")


def _operator(name: str, type_: Literal["validating", "mutating"], asked: frozenset[str]) -> Webhook:
    """One of the Prometheus operator's; `Ignore`, because the chart's job puts its certificate in only afterwards."""
    return webhook(f"{name}.monitoring.coreos.com", type_, asked, failure_policy="Ignore")


CHARTS: Mapping[str, tuple[Part, ...]] = {
    "cert-manager": (
        Part(
            "1.19",
            Brings(
                crds=_CERT_MANAGER | _ACME,
                webhooks=(
                    webhook("webhook.cert-manager.io", "validating", _CERT_MANAGER | _ACME),
                    webhook(
                        "webhook.cert-manager.io",
                        "mutating",
                        kinds("cert-manager.io", "CertificateRequest"),
                        "CREATE",
                    ),
                ),
            ),
        ),
    ),
    "ingress-nginx": (
        Part(
            "4.12",
            Brings(
                ingress_classes=frozenset({"nginx"}),
                webhooks=(webhook("validate.nginx.ingress.kubernetes.io", "validating", kinds("networking.k8s.io", "Ingress")),),
            ),
        ),
    ),
    "kube-prometheus-stack": (
        Part("75", Brings(crds=_PROMETHEUS, webhooks=(_operator("prometheusrulemutate", "mutating", _RULES),))),
        # Until then the validating webhook had the other one's name.
        Part("75", Brings(webhooks=(_operator("prometheusrulemutate", "validating", _RULES),)), until="78.3"),
        Part(
            "78.3",
            Brings(
                webhooks=(
                    _operator("prometheusrulevalidate", "validating", _RULES),
                    _operator("alertmanagerconfigsvalidate", "validating", _ALERTS),
                ),
            ),
        ),
    ),
    "traefik": (
        Part(
            "30",
            Brings(crds=TRAEFIK, ingress_classes=frozenset({"traefik"}), default_ingress_class="traefik"),
        ),
        Part("30", Brings(crds=GATEWAY_API), until="40.2"),
        Part("37.3", Brings(crds=GATEWAY_API_1_4), until="40.2"),
        Part("40", Brings(crds=GATEWAY_API_1_5), until="40.2"),
    ),
}
