"""What the ingress controllers declare about themselves."""

from __future__ import annotations

from fluxstead.checks.system_facts import RouteKind
from fluxstead.system import System
from fluxstead.systems.ingress import admission, checks, dashboard, middlewares
from fluxstead.systems.ingress.charts import INGRESS_NGINX, TRAEFIK

INGRESS = System(
    name="ingress",
    key="ingress",
    does="the ingress controller, ingress-nginx or Traefik, and the routes of other systems",
    charts=(INGRESS_NGINX, TRAEFIK),
    routes=tuple(
        RouteKind(
            kind=kind,
            groups=frozenset({"traefik.io", "traefik.containo.us"}),
            rules="routes",
            backends="services",
            guards="middlewares",
        )
        for kind in ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP")
    ),
    asking={
        "nginx": frozenset(
            f"nginx.ingress.kubernetes.io/{name}"
            for name in ("auth-type", "auth-url", "auth-tls-secret", "whitelist-source-range", "allowlist-source-range")
        ),
        "traefik": frozenset({"traefik.ingress.kubernetes.io/router.middlewares"}),
    },
    copies=frozenset({"nginx.ingress.kubernetes.io/canary"}),
    planned=checks.CHECKS,
    rules=(*middlewares.RULES, *admission.RULES, *dashboard.RULES),
)
