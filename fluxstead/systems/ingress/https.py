"""Traefik with HTTPS alone: what its plain entry point does, and which certificate answers where no route's does."""

from __future__ import annotations

from typing import Any

from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.systems.ingress.settings import Controller
from fluxstead.tree.asks import Issuer
from fluxstead.tree.layer import Layer

_FIRST = 1_000_000
"""Before every other route: their priority is the length of their rule (Traefik: routing/routers, "priority")."""


def layer(settings: Controller, platform: Platform, namespace: str, issuer: Issuer) -> Layer:
    """A layer of its own, since its kinds may come with the release."""
    source = settings.source
    objects = [
        _object("Middleware", "to-https", namespace, {"redirectScheme": _redirect(settings, platform)}),
        _object("IngressRoute", "to-https", namespace, {"entryPoints": ["web"], "routes": [_EVERYTHING]}),
    ]
    if issuer.default:
        objects.append(_object("TLSStore", "default", namespace, {"defaultCertificate": {"secretName": issuer.default}}))
    return Layer(
        name="traefik-https", group="infrastructure", source=source, manifests=tuple(Manifest(obj, source) for obj in objects)
    )


_EVERYTHING: dict[str, Any] = {
    "match": "PathPrefix(`/`)",
    "kind": "Rule",
    "priority": _FIRST,
    "middlewares": [{"name": "to-https"}],
    "services": [{"name": "noop@internal", "kind": "TraefikService"}],
}


def _redirect(settings: Controller, platform: Platform) -> dict[str, Any]:
    """To the port at which the nodes answer. Not for good: browsers remember that, and the port may change."""
    at_its_own = settings.bundled(platform) and "servicelb" not in platform.disabled
    return {"scheme": "https", "permanent": False, **({} if at_its_own else {"port": str(settings.https_port)})}


def _object(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "traefik.io/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
