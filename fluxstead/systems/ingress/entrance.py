"""What both controllers' routers share: where people come in, and the shape of an Ingress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fluxstead.tree.asks import Gate, Guard, Issuer, Link, Route

OWN_PORTS = {"http": 80, "https": 443}
"""What browsers ask where a link names no port."""


class Entrance(NamedTuple):
    """The node and the port that answer.

    `issuer`: whose certificates they have, where they speak HTTPS. `gate`: who says who may come in.
    `suffix`: what is added to names, where another controller has the same routes.
    """

    host: str
    port: int
    issuer: Issuer | None = None
    gate: Gate | None = None
    suffix: str = ""

    def name_of(self, route: Route) -> str:
        """What the objects of a route are called: one of two controllers adds its own name."""
        return f"{route.name}{self.suffix}"

    def guard_of(self, route: Route) -> Guard | None:
        """What is in front of a route."""
        return self.gate.guard_of(route) if self.gate else None

    def link(self, route: Route) -> Link:
        """The route as a link, with a trailing slash where the page needs it (failure F21)."""
        host = route.host or (f"[{self.host}]" if ":" in self.host else self.host)
        scheme = "https" if self.issuer else "http"
        port = "" if self.port == OWN_PORTS[scheme] else f":{self.port}"
        slash = "/" if route.strip_path and route.path != "/" else ""
        return Link(route.name, f"{scheme}://{host}{port}{route.path}{slash}")


def pattern(path: str) -> str:
    """A path as a regular expression, the same to nginx and Traefik. Of the characters a path may have, only the dot is special."""
    return path.replace(".", "[.]")


def ingress(
    route: Route,
    class_name: str,
    path: str,
    path_type: str,
    *,
    name: str,
    issuer: Issuer | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An Ingress in the route's namespace.

    Without a host there is nothing to choose a certificate by, since browsers name no address (RFC 6066, 3): the default answers.
    """
    secret = issuer.secret_of(route) if issuer else None
    backend = {"service": {"name": route.service, "port": {"number": route.port}}}
    http = {"paths": [{"path": path, "pathType": path_type, "backend": backend}]}
    metadata: dict[str, Any] = {"name": name, "namespace": route.namespace}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": {
            "ingressClassName": class_name,
            "rules": [{"host": route.host, "http": http} if route.host else {"http": http}],
            **({"tls": [{"hosts": [route.host], "secretName": secret}]} if secret else {}),
        },
    }
