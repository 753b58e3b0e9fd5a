"""Traefik: k3s's own with its configuration, or a release; and routes as its Ingresses and Middlewares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.requirement import GroupKind, ingress_class
from fluxstead.core.shape import merged
from fluxstead.core.yaml_text import to_yaml
from fluxstead.systems.ingress import https
from fluxstead.systems.ingress.entrance import Entrance, ingress, pattern
from fluxstead.systems.ingress.release import release
from fluxstead.systems.ingress.settings import Controller
from fluxstead.tree.asks import ControllerPods, Forwarded, Guard, Issuer, Link, Networks, Password, Route, Scrape
from fluxstead.tree.layer import Layer

CLASS = "traefik"

_K3S_NAMESPACE = "kube-system"
"""Where k3s installs what it packages."""


_ONLY_HTTPS = {
    "traefik.ingress.kubernetes.io/router.entrypoints": "websecure",
    "traefik.ingress.kubernetes.io/router.tls": "true",
}


class TraefikRouter(NamedTuple):
    """Routes as Ingresses of class traefik, with a Middleware that says who may come in, and two more where a path is stripped.

    The first of these redirects the bare path to the one with a slash: it matches the whole URL, Host header and its port included
    (traefik: pkg/middlewares/redirect), and keeps what it matched, so that both stay (failure F21). The second strips.
    """

    entrance: Entrance
    controllers: tuple[ControllerPods, ...]
    tells_sources: bool = False
    needs_sign_in: bool = False

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """The Ingress, after the Middlewares that it names."""
        issuer = self.entrance.issuer
        annotations = dict(_ONLY_HTTPS) if issuer else {}
        name = self.entrance.name_of(route)
        middlewares = [
            *_guarding(name, route.namespace, self.entrance.guard_of(route)),
            *(_stripping(name, route) if route.strip_path else ()),
        ]
        if middlewares:
            chain = ",".join(f"{route.namespace}-{one['metadata']['name']}@kubernetescrd" for one in middlewares)
            annotations["traefik.ingress.kubernetes.io/router.middlewares"] = chain
        way_in = ingress(route, CLASS, route.path, "Prefix", name=name, issuer=issuer, annotations=annotations)
        return tuple(Manifest(obj, route.source) for obj in (*middlewares, way_in))

    def link(self, route: Route) -> Link:
        """Where a person reaches `route`."""
        return self.entrance.link(route)


def _guarding(name: str, namespace: str, guard: Guard | None) -> Iterator[dict[str, Any]]:
    """What says who may come in, first of all. Without its Secret, Traefik answers 404 (traefik: pkg/server/router)."""
    match guard:
        case Password(secret):
            # What is behind it may read the header as well, and has other passwords.
            yield _middleware(f"{name}-access", namespace, {"basicAuth": {"secret": secret, "removeHeader": True}})
        case Networks(networks):
            yield _middleware(f"{name}-access", namespace, {"ipAllowList": {"sourceRange": list(networks)}})
        case Forwarded():
            headers = {"authResponseHeaders": list(guard.headers)} if guard.headers else {}
            yield _middleware(f"{name}-access", namespace, {"forwardAuth": {"address": guard.redirects, **headers}})


def _stripping(name: str, route: Route) -> Iterator[dict[str, Any]]:
    redirect = {"regex": rf"^(https?://[^/?]+{pattern(route.path)})(\?.*)?$", "replacement": "${1}/${2}"}
    yield _middleware(f"{name}-slash", route.namespace, {"redirectRegex": redirect})
    yield _middleware(f"{name}-strip", route.namespace, {"stripPrefix": {"prefixes": [route.path]}})


def _middleware(name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def pods_of(settings: Controller, platform: Platform) -> ControllerPods:
    """Traefik's pods (traefik-helm-chart: traefik/templates/_helpers.tpl)."""
    name = str(settings.values.get("nameOverride") or "traefik")
    namespace = _K3S_NAMESPACE if settings.bundled(platform) else settings.namespace_name
    return ControllerPods(namespace, {"app.kubernetes.io/name": name})


def layers(settings: Controller, platform: Platform, issuer: Issuer | None) -> tuple[Layer, ...]:
    """The controller: k3s's own Traefik configured, or one of our own released; and what makes it speak HTTPS alone."""
    controller = _configuration(settings) if settings.bundled(platform) else _release(settings, platform)
    return (controller, https.layer(settings, platform, pods_of(settings, platform).namespace, issuer)) if issuer else (controller,)


def _configuration(settings: Controller) -> Layer:
    """Once it is removed, k3s goes back to Traefik's default configuration, so it may be pruned."""
    source = settings.source
    config = {
        "apiVersion": "helm.cattle.io/v1",
        "kind": "HelmChartConfig",
        "metadata": {"name": "traefik", "namespace": _K3S_NAMESPACE},
        "spec": {"valuesContent": to_yaml(merged(_values(settings), settings.values))},
    }
    return Layer(name="traefik", group="infrastructure", source=source, manifests=(Manifest(config, source),))


def _release(settings: Controller, platform: Platform) -> Layer:
    # The type moved below spec in chart 40 (traefik-helm-chart: traefik/values.yaml).
    nested = settings.version is None or settings.version.minor >= (40, 0)
    service = {"spec": {"type": "NodePort"}} if nested else {"type": "NodePort"}
    return release(
        settings,
        platform,
        url="https://traefik.github.io/charts",
        values=merged(_values(settings), {"ingressClass": {"name": CLASS}, "service": service}),
        offers=[ingress_class(CLASS), *(GroupKind("traefik.io", kind) for kind in ("IngressRoute", "Middleware", "TLSStore"))],
    )


def _values(settings: Controller) -> dict[str, Any]:
    return {
        "ingressClass": {"isDefaultClass": settings.default_class},
        "ports": {"web": {"nodePort": settings.http_port}, "websecure": {"nodePort": settings.https_port}},
        "metrics": {"prometheus": {"service": {"enabled": True}}},
        **(_TELLING_SOURCES if settings.keep_source_addresses else {}),
    }


_TELLING_SOURCES: dict[str, Any] = {"deployment": {"kind": "DaemonSet"}, "service": {"spec": {"externalTrafficPolicy": "Local"}}}


def scrape(settings: Controller, platform: Platform) -> Scrape:
    """Traefik's metrics (traefik-helm-chart: traefik/templates/_service-metrics.tpl)."""
    pods = pods_of(settings, platform)
    return Scrape(
        name="traefik",
        namespace=pods.namespace,
        labels={**pods.labels, "app.kubernetes.io/component": "metrics"},
        port="metrics",
        source=settings.source,
    )
