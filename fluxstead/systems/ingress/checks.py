"""The rules for the way in, over the description."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.platform import Platform
from fluxstead.systems.ingress.settings import IngressSettings

BUNDLED_TRAEFIK = refuses(
    "ingress/bundled-traefik", "F5", "`version` has no effect on the Traefik that k3s brings", "the description"
)
NO_VERSION = refuses("ingress/no-version", "F23", "ingress-nginx has no version", "the description")
ONE_PORT_TWICE = refuses("ingress/one-port-twice", "F7", "HTTP and HTTPS both ask for node port 30080", "the description")
RETIRED_CONTROLLER = warns("ingress/retired", "F6", "ingress-nginx has been retired since March 2026", "the description")
TWO_DEFAULT_CLASSES = warns(
    "ingress/two-default-classes",
    "F5",
    "two ingress classes are the default: nginx, and traefik, which k3s brings",
    "the description",
)
CHECKS = (BUNDLED_TRAEFIK, NO_VERSION, ONE_PORT_TWICE, RETIRED_CONTROLLER, TWO_DEFAULT_CLASSES)

_OF_THE_RELEASE = {"version": "version", "namespace": "namespace", "release_name": "releaseName"}
"""What describes a release and so has no effect on the Traefik that k3s installs: field, and key as written."""


def findings_of(settings: IngressSettings, platform: Platform) -> Iterator[Finding]:
    """What is wrong, or worth knowing, before a controller is asked to run like this."""
    yield from _ports(settings)
    yield from _release(settings, platform)
    yield from _default_class(settings, platform)
    if settings.controller == "ingress-nginx":
        yield RETIRED_CONTROLLER(
            settings.source_of("controller"),
            what="ingress-nginx has been retired since March 2026",
            why="vulnerabilities found in it stay open: nobody fixes or releases it any more",
            fix="controller: traefik; until you move, its last chart, version: 4.15.1",
        )


def _ports(settings: IngressSettings) -> Iterator[Finding]:
    if settings.http_port == settings.https_port:
        yield ONE_PORT_TWICE(
            settings.source_of("httpsPort"),
            what=f"HTTP and HTTPS both ask for node port {settings.http_port}",
            why="the API server refuses the controller's Service, and its release never becomes ready",
            fix="httpsPort: 30443, or another port than httpPort",
        )


def _release(settings: IngressSettings, platform: Platform) -> Iterator[Finding]:
    if not settings.bundled(platform):
        if settings.version is None:
            yield NO_VERSION(
                settings.source_of("controller"),
                what=f"{settings.controller} has no version",
                why="k3s does not install it here, and a chart without a version is upgraded unasked (F23)",
                fix=_DISABLED if settings.controller == "traefik" else "version: 4.15.1, its last, or an older one",
            )
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


def _default_class(settings: IngressSettings, platform: Platform) -> Iterator[Finding]:
    if settings.controller == "ingress-nginx" and settings.default_class and "traefik" not in platform.disabled:
        yield TWO_DEFAULT_CLASSES(
            settings.source_of("defaultClass"),
            what="two ingress classes are the default: nginx, and traefik, which k3s brings",
            why="an Ingress that names no class goes to the one that was created last",
            fix="defaultClass: false, or disable traefik in kubernetes.disable",
        )
