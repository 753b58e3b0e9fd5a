"""The rules for the way in, over the description."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.defects import LAST
from fluxstead.checks.rules import known_defects
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.platform import Platform
from fluxstead.core.shape import at
from fluxstead.systems.ingress.settings import Controller, IngressSettings

BUNDLED_TRAEFIK = refuses(
    "ingress/bundled-traefik", "F5", "`version` has no effect on the Traefik that k3s brings", "the description"
)
SAID_OTHERWISE = refuses("ingress/said-otherwise", "F21", "ports.web.nodePort is 31080, but httpPort is 30080", "the description")
NO_VERSION = refuses("ingress/no-version", "F23", "ingress-nginx has no version", "the description")
ONE_PORT_TWICE = refuses(
    "ingress/one-port-twice", "F7", "HTTPS of traefik asks for node port 30080, which something here has already", "the description"
)
PLAIN_HTTP = refuses(
    "ingress/plain-http", "F21", 'controller.config.force-ssl-redirect is "false", and routes have certificates', "the description"
)
RETIRED_CONTROLLER = warns("ingress/retired", "F6", "ingress-nginx has been retired since March 2026", "the description")
TWO_DEFAULT_CLASSES = warns(
    "ingress/two-default-classes",
    "F5",
    "two ingress classes are the default: nginx, and traefik, which k3s brings",
    "the description",
)
CHECKS = (BUNDLED_TRAEFIK, NO_VERSION, ONE_PORT_TWICE, PLAIN_HTTP, RETIRED_CONTROLLER, SAID_OTHERWISE, TWO_DEFAULT_CLASSES)

_TYPED: dict[str, dict[tuple[str, ...], str]] = {
    "ingress-nginx": {
        ("controller", "ingressClassResource", "default"): "defaultClass",
        ("controller", "service", "nodePorts", "http"): "httpPort",
        ("controller", "service", "nodePorts", "https"): "httpsPort",
        ("defaultBackend", "enabled"): "defaultBackend",
    },
    "traefik": {
        ("ingressClass", "isDefaultClass"): "defaultClass",
        ("ports", "web", "nodePort"): "httpPort",
        ("ports", "websecure", "nodePort"): "httpsPort",
    },
}
"""The values that keys of their own stand for, by controller."""
_CLASS_NAMES = {"ingress-nginx": ("controller", "ingressClassResource", "name"), "traefik": ("ingressClass", "name")}
_POLICIES = {
    "ingress-nginx": ("controller", "service", "externalTrafficPolicy"),
    "traefik": ("service", "spec", "externalTrafficPolicy"),
}
_CLASSES = {"ingress-nginx": "nginx", "traefik": "traefik"}

_OF_THE_RELEASE = {"version": "version", "namespace": "namespace", "release_name": "releaseName"}
"""What describes a release and so has no effect on the Traefik that k3s installs: field, and key as written."""


_ONLY_HTTPS = {
    ("controller", "config", "ssl-redirect"): "true",
    ("controller", "config", "force-ssl-redirect"): "true",
    ("controller", "config", "use-port-in-redirects"): "true",
    ("controller", "config", "hsts"): "false",
}
"""What ingress-nginx needs, to redirect to the node port and to nothing else."""


def findings_of(settings: IngressSettings, platform: Platform, *, tls: bool = False) -> Iterator[Finding]:
    """What is wrong, or worth knowing, before controllers are asked to run like this."""
    yield from _ports(settings)
    for one in settings.controllers:
        yield from _of_one(one, platform, tls=tls)
    if not any(one.bundled(platform) for one in settings.controllers):
        yield from _default_class(settings, platform)


def _of_one(settings: Controller, platform: Platform, *, tls: bool) -> Iterator[Finding]:
    if tls and settings.controller == "ingress-nginx":
        yield from _plain_http(settings)
    yield from _release(settings, platform)
    yield from _said_otherwise(settings)
    if settings.controller == "ingress-nginx":
        yield RETIRED_CONTROLLER(
            settings.source_of("controller"),
            what="ingress-nginx has been retired since March 2026",
            why="vulnerabilities found in it stay open: nobody fixes or releases it any more",
            fix=f"controller: traefik; until you move, its last chart, version: {LAST['ingress-nginx']}",
        )


def _said_otherwise(settings: Controller) -> Iterator[Finding]:
    """Values that say otherwise what the description says: routes, links and other systems follow from the description."""
    typed = {
        "defaultBackend": settings.default_backend,
        "defaultClass": settings.default_class,
        "httpPort": settings.http_port,
        "httpsPort": settings.https_port,
    }
    for keys, key in _TYPED[settings.controller].items():
        said = at(settings.values, keys)
        if said is not None and said != typed[key]:
            yield SAID_OTHERWISE(
                settings.source_of("values", *keys),
                what=f"{'.'.join(keys)} is {str(said).lower()}, but {key} is {str(typed[key]).lower()}",
                why="links, routes and the checks on ports follow from what is described",
                fix=f"{key}: {str(said).lower()}, and no such value",
            )
    keys = _POLICIES[settings.controller]
    if settings.keep_source_addresses and at(settings.values, keys) not in (None, "Local"):
        yield SAID_OTHERWISE(
            settings.source_of("values", *keys),
            what=f"{'.'.join(keys)} is {at(settings.values, keys)}, but keepSourceAddresses is true",
            why="requests would come from the machines' own addresses, and access by network lets in everybody, or nobody",
            fix="no such value",
        )
    keys, name = _CLASS_NAMES[settings.controller], _CLASSES[settings.controller]
    if at(settings.values, keys) not in (None, "", name):
        yield SAID_OTHERWISE(
            settings.source_of("values", *keys),
            what=f"{'.'.join(keys)} is not {name}, the class of every generated Ingress",
            why="no controller would answer for them (F21)",
            fix="no such value",
        )


def _plain_http(settings: Controller) -> Iterator[Finding]:
    for keys, value in _ONLY_HTTPS.items():
        said = at(settings.values, keys)
        if said is not None and str(said).lower() != value:
            yield PLAIN_HTTP(
                settings.source_of("values", *keys),
                what=f"{'.'.join(keys)} is {str(said).lower()}, and routes have certificates",
                why="a password would be typed into plain HTTP, or a redirect lead to a port that nothing answers at",
                fix=f"no such value, which is {value}",
            )


def _ports(settings: IngressSettings) -> Iterator[Finding]:
    """One port for two purposes, of one controller or of both."""
    taken: set[int] = set()
    for one in settings.controllers:
        for port, key, purpose in ((one.http_port, "httpPort", "HTTP"), (one.https_port, "httpsPort", "HTTPS")):
            if port in taken:
                yield ONE_PORT_TWICE(
                    one.source_of(key),
                    what=f"{purpose} of {one.controller} asks for node port {port}, which something here has already",
                    why="the API server refuses the controller's Service, and its release never becomes ready",
                    fix=f"{key}: 30443, 31080, 31443 or another port that is free",
                )
            taken.add(port)


def _release(settings: Controller, platform: Platform) -> Iterator[Finding]:
    if not settings.bundled(platform):
        if settings.version is None:
            yield NO_VERSION(
                settings.source_of("controller"),
                what=f"{settings.controller} has no version",
                why="k3s does not install it here, and a chart without a version is upgraded unasked (F23)",
                fix=_DISABLED
                if settings.controller == "traefik"
                else f"version: {LAST['ingress-nginx']}, its last, or an older one",
            )
        else:
            yield from known_defects.of_chart(settings.controller, settings.version, settings.source_of("version"))
        return
    for field, key in _OF_THE_RELEASE.items():
        if getattr(settings, field) is not None:
            yield BUNDLED_TRAEFIK(
                settings.source_of(key),
                what=f"`{key}` has no effect on the Traefik that k3s brings",
                why="k3s installs it in kube-system, in the version of its own release",
                fix=f"no `{key}`; or disable traefik in kubernetes.disable, for a release of your own",
            )


_DISABLED = "version: 41.3.0, or another of its chart's; or take traefik out of kubernetes.disable, for the one that k3s brings"


def _default_class(settings: Controller, platform: Platform) -> Iterator[Finding]:
    if settings.controller == "ingress-nginx" and settings.default_class and "traefik" not in platform.disabled:
        yield TWO_DEFAULT_CLASSES(
            settings.source_of("defaultClass"),
            what="two ingress classes are the default: nginx, and traefik, which k3s brings",
            why="an Ingress that names no class goes to the one that was created last",
            fix="defaultClass: false, or disable traefik in kubernetes.disable",
        )
