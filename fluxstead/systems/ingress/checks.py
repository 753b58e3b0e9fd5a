"""The rules of the way in: over the description, and over every Ingress of the tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fluxstead.core.findings import Finding, Source, error, warning
from fluxstead.core.platform import Platform
from fluxstead.systems.ingress.settings import IngressSettings

_OF_THE_RELEASE = {"version": "version", "namespace": "namespace", "release_name": "releaseName"}
"""What describes a release and so says nothing about the Traefik that k3s installs: field, and key as written."""


def findings_of(settings: IngressSettings, platform: Platform) -> Iterator[Finding]:
    """What is wrong, or worth knowing, before a controller is asked to run like this."""
    yield from _ports(settings)
    yield from _release(settings, platform)
    yield from _default_class(settings, platform)
    if settings.controller == "ingress-nginx":
        yield warning(
            "ingress/retired",
            settings.source_of("controller"),
            what="ingress-nginx is retired since March 2026",
            why="holes found in it stay open: nobody fixes or releases it any more",
            write="controller: traefik; until you move, its last chart, version: 4.15.1",
        )


def _ports(settings: IngressSettings) -> Iterator[Finding]:
    if settings.http_port == settings.https_port:
        yield error(
            "ingress/one-port-twice",
            settings.source_of("httpsPort"),
            what=f"HTTP and HTTPS both ask for node port {settings.http_port}",
            why="the API server refuses the controller's Service, and its release never becomes ready",
            write="httpsPort: 30443, or another port than httpPort",
        )


def _release(settings: IngressSettings, platform: Platform) -> Iterator[Finding]:
    if not settings.bundled(platform):
        if settings.version is None:
            yield error(
                "ingress/no-version",
                settings.source_of("controller"),
                what=f"{settings.controller} has no version",
                why="k3s does not bring it here, and a chart without a version moves unasked (F23)",
                write=_DISABLED if settings.controller == "traefik" else "version: 4.15.1, its last, or an older one",
            )
        return
    for field, key in _OF_THE_RELEASE.items():
        if getattr(settings, field) is not None:
            yield error(
                "ingress/bundled-traefik",
                settings.source_of(key),
                what=f"`{key}` says nothing about the Traefik that k3s brings",
                why="k3s installs it in kube-system, in the version of its own release",
                write=f"no `{key}`; or disable traefik in kubernetes.disable, for a release of your own",
            )


_DISABLED = "version: 41.3.0, or another of its chart's; or take traefik out of kubernetes.disable, for the one that k3s brings"


def _default_class(settings: IngressSettings, platform: Platform) -> Iterator[Finding]:
    if settings.controller == "ingress-nginx" and settings.default_class and "traefik" not in platform.disabled:
        yield warning(
            "ingress/two-default-classes",
            settings.source_of("defaultClass"),
            what="two ingress classes are the default: nginx, and traefik, which k3s brings",
            why="an Ingress that names no class goes to the one that was made last",
            write="defaultClass: false, or disable traefik in kubernetes.disable",
        )


def clashes(objects: Iterable[tuple[Mapping[str, Any], Source]]) -> Iterator[Finding]:
    """Two Ingresses of a tree for one host and path (failure F7): one is not served, and ingress-nginx's webhook refuses it."""
    taken: dict[tuple[str, str, str], tuple[str, Source]] = {}
    for obj, source in objects:
        if obj["kind"] != "Ingress":
            continue
        name = f"{obj['metadata'].get('namespace', 'default')}/{obj['metadata']['name']}"
        for host, path in _ways_in(obj["spec"]):
            first, place = taken.setdefault((obj["spec"].get("ingressClassName", ""), host, path), (name, source))
            if first != name:
                yield error(
                    "ingress/two-owners",
                    source,
                    what=f"Ingress {name} and Ingress {first} (from {place}) both answer {host or 'any host'} at {path}",
                    why="requests reach only one of them, and which one may change (F7)",
                    write="another host or another path for one of the two",
                )


def _ways_in(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Host and path as a person means them: without what `NginxRouter` adds to strip a path, and not its redirect."""
    for rule in spec.get("rules") or []:
        for entry in (rule.get("http") or {}).get("paths") or []:
            path = entry.get("path", "/")
            if not path.endswith("$"):
                yield rule.get("host", ""), path.removesuffix("(.*)").replace("[.]", ".").rstrip("/") or "/"
