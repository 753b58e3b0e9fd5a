"""ingress-nginx: its release, and routes as its Ingresses."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.requirement import ingress_class
from fluxstead.core.shape import merged
from fluxstead.systems.ingress.entrance import Entrance, ingress, pattern
from fluxstead.systems.ingress.release import release
from fluxstead.systems.ingress.settings import Controller
from fluxstead.tree.asks import ControllerPods, Forwarded, Guard, Issuer, Link, Networks, Password, Route, Scrape
from fluxstead.tree.layer import Layer

CLASS = "nginx"
_NGINX = "nginx.ingress.kubernetes.io"

PLAIN = re.compile(r"/[A-Za-z0-9_/-]*")
"""What the webhook admits as a path of type Prefix until 1.13, which adds the dot (internal/ingress/inspector/inspector.go)."""


class NginxRouter(NamedTuple):
    """Routes as Ingresses of class nginx, without snippets, which are off by default and rated critical.

    Where a path is stripped, two Ingresses share the work, since a rewrite target applies to a whole Ingress. One matches
    `/longhorn/(.*)` and passes on `/$1`. The other matches `/longhorn$` and rewrites to `$scheme://$http_host/longhorn/`: nginx
    answers a rewrite that starts with `$scheme` with a redirect (ngx_http_rewrite_module), and `$http_host` is the Host header,
    so that host and port stay (failure F21; run on nginx 1.31). `permanent-redirect` admits no variables, `app-root` only acts
    at `/`, and rewrite targets admit both (internal/ingress/annotations/{redirect,rewrite}, annotations/parser/validators.go).

    A rewrite makes every path of its host a case-insensitive pattern, anchored at its beginning only, the longest first
    (rootfs/etc/nginx/template/nginx.tmpl; internal/ingress/controller/template/template.go, buildLocation).
    """

    entrance: Entrance
    controllers: tuple[ControllerPods, ...]
    tells_sources: bool = False
    needs_sign_in: bool = True

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """One Ingress, or two where the path is stripped."""
        name = self.entrance.name_of(route)
        if not route.strip_path:
            path_type = "Prefix" if PLAIN.fullmatch(route.path) else "ImplementationSpecific"
            plain = ingress(
                route,
                CLASS,
                route.path,
                path_type,
                name=name,
                issuer=self.entrance.issuer,
                annotations=_guarding(self.entrance.guard_of(route)),
            )
            return (Manifest(plain, route.source),)
        path = pattern(route.path)
        stripped = self._regex(route, name, f"{path}/(.*)", "/$1")
        redirect = self._regex(route, f"{name}-slash", f"{path}$", f"$scheme://$http_host{route.path}/")
        return Manifest(stripped, route.source), Manifest(redirect, route.source)

    def link(self, route: Route) -> Link:
        """Where a person reaches `route`."""
        return self.entrance.link(route)

    def _regex(self, route: Route, name: str, path: str, target: str) -> dict[str, Any]:
        annotations = {
            f"{_NGINX}/use-regex": "true",
            f"{_NGINX}/rewrite-target": target,
            **_guarding(self.entrance.guard_of(route)),
        }
        return ingress(
            route, CLASS, path, "ImplementationSpecific", issuer=self.entrance.issuer, name=name, annotations=annotations
        )


def _guarding(guard: Guard | None) -> dict[str, str]:
    """The annotations for who may come in, none of which is rated critical (ingress-nginx: annotations-risk.md).

    nginx redirects from plain HTTP before it asks anything: rewriting is a phase before access (its "Development guide", Phases).
    """
    match guard:
        case Password(secret):
            return {
                f"{_NGINX}/auth-type": "basic",
                f"{_NGINX}/auth-secret": secret,
                f"{_NGINX}/auth-realm": "who may come in",
            }
        case Networks(networks):
            return {f"{_NGINX}/whitelist-source-range": ",".join(networks)}
        case Forwarded():
            back = "?rd=$scheme://$http_host$escaped_request_uri"
            return {
                f"{_NGINX}/auth-url": guard.address,
                **({f"{_NGINX}/auth-signin": f"{guard.sign_in}{back}"} if guard.sign_in else {}),
                **({f"{_NGINX}/auth-response-headers": ",".join(guard.headers)} if guard.headers else {}),
            }
        case None:
            return {}


def _name(settings: Controller) -> str:
    return str(settings.values.get("nameOverride") or "ingress-nginx")


def pods_of(settings: Controller) -> ControllerPods:
    """The controller's pods, and not those of its default backend (charts/ingress-nginx/templates/_helpers.tpl)."""
    return ControllerPods(
        settings.namespace_name, {"app.kubernetes.io/name": _name(settings), "app.kubernetes.io/component": "controller"}
    )


def controller(settings: Controller, platform: Platform, issuer: Issuer | None) -> Layer:
    """The layer of the controller."""
    return release(
        settings,
        platform,
        url="https://kubernetes.github.io/ingress-nginx",
        values=merged(_values(settings), _only_https(settings, issuer) if issuer else {}),
        offers=[ingress_class(CLASS)],
        patches=[_TCP_PROBES] if settings.default_backend else [],
    )


def _values(settings: Controller) -> dict[str, Any]:
    return {
        "controller": {
            "ingressClassResource": {"name": CLASS, "default": settings.default_class},
            "service": {
                "type": "NodePort",
                "nodePorts": {"http": settings.http_port, "https": settings.https_port},
                **({"externalTrafficPolicy": "Local"} if settings.keep_source_addresses else {}),
            },
            "metrics": {"enabled": True},
            **({"kind": "DaemonSet"} if settings.keep_source_addresses else {}),
        },
        "defaultBackend": {"enabled": settings.default_backend},
    }


def _only_https(settings: Controller, issuer: Issuer) -> dict[str, Any]:
    """Plain HTTP redirects, before anybody is asked for a password, to the node port.

    nginx names in redirects the port that it listens at itself (rootfs/etc/nginx/lua/lua_ingress.lua, `redirect_to_https`), so
    inside its pod it has the node port's number. For the time being, not for good: browsers remember a 308, and a promise of
    HSTS would send them to HTTPS at the port of plain HTTP as well (RFC 6797, 8.3).
    """
    default = {"default-ssl-certificate": f"{settings.namespace_name}/{issuer.default}"} if issuer.default else {}
    return {
        "controller": {
            "config": {
                "force-ssl-redirect": "true",
                "use-port-in-redirects": "true",
                "http-redirect-code": "307",
                "hsts": "false",
            },
            "containerPort": {"https": settings.https_port},
            "extraArgs": {"https-port": str(settings.https_port), **default},
        }
    }


_TCP_PROBES: dict[str, Any] = {
    # The chart has no value for the kind of probe (charts/ingress-nginx/templates/default-backend-deployment.yaml). By its label,
    # because the Deployment's name follows from release, nameOverride and fullnameOverride.
    "target": {"kind": "Deployment", "labelSelector": "app.kubernetes.io/component=default-backend"},
    "patch": """\
- op: remove
  path: /spec/template/spec/containers/0/livenessProbe/httpGet
- op: add
  path: /spec/template/spec/containers/0/livenessProbe/tcpSocket
  value: {port: http}
- op: remove
  path: /spec/template/spec/containers/0/readinessProbe/httpGet
- op: add
  path: /spec/template/spec/containers/0/readinessProbe/tcpSocket
  value: {port: http}
""",
}


def scrape(settings: Controller) -> Scrape:
    """The controller's metrics (charts/ingress-nginx/templates/controller-service-metrics.yaml)."""
    return Scrape(
        name="ingress-nginx",
        namespace=settings.namespace_name,
        labels={
            "app.kubernetes.io/name": _name(settings),
            "app.kubernetes.io/instance": settings.release,
            "app.kubernetes.io/component": "controller",
        },
        port="metrics",
        source=settings.source,
    )
