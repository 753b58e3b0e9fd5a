"""What the ingress controllers say of themselves."""

from __future__ import annotations

from fluxstead.checks.known import RouteKind
from fluxstead.checks.subject import planned
from fluxstead.core.findings import Severity
from fluxstead.system import System
from fluxstead.systems.ingress.charts import INGRESS_NGINX, TRAEFIK

INGRESS = System(
    name="ingress",
    key="ingress",
    does="the ingress controller, ingress-nginx or Traefik, and the routes of other systems",
    charts=(INGRESS_NGINX, TRAEFIK),
    routes=tuple(
        RouteKind(kind=kind, groups=frozenset({"traefik.io", "traefik.containo.us"}), rules="routes", backends="services")
        for kind in ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP")
    ),
    copies=frozenset({"nginx.ingress.kubernetes.io/canary"}),
    checks=(
        planned("ingress/bundled-traefik", "F5", "`version` says nothing about the Traefik that k3s brings"),
        planned("ingress/no-version", "F23", "ingress-nginx has no version"),
        planned("ingress/one-port-twice", "F7", "HTTP and HTTPS both ask for node port 30080"),
        planned("ingress/retired", "F6", "ingress-nginx is retired since March 2026", Severity.WARNING),
        planned(
            "ingress/two-default-classes",
            "F5",
            "two ingress classes are the default: nginx, and traefik, which k3s brings",
            Severity.WARNING,
        ),
    ),
)
