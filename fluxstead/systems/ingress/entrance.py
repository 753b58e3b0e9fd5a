"""What both controllers' routers share: where people come in, and the shape of an Ingress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fluxstead.tree.asks import Link, Route


class Entrance(NamedTuple):
    """The node and the port that answer HTTP."""

    host: str
    port: int

    def link(self, route: Route) -> Link:
        """The route as a link, with a trailing slash where the page needs it (failure F21)."""
        host = route.host or (f"[{self.host}]" if ":" in self.host else self.host)
        port = "" if self.port == 80 else f":{self.port}"  # noqa: PLR2004 -- HTTP's own
        slash = "/" if route.strip_path and route.path != "/" else ""
        return Link(route.name, f"http://{host}{port}{route.path}{slash}")


def pattern(path: str) -> str:
    """A path as a regular expression, the same to nginx and Traefik. Of the characters a path may have, only the dot is special."""
    return path.replace(".", "[.]")


def ingress(
    route: Route,
    class_name: str,
    path: str,
    path_type: str,
    *,
    name: str | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An Ingress in the route's namespace, under the route's name unless another is given."""
    backend = {"service": {"name": route.service, "port": {"number": route.port}}}
    http = {"paths": [{"path": path, "pathType": path_type, "backend": backend}]}
    metadata: dict[str, Any] = {"name": name or route.name, "namespace": route.namespace}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": {
            "ingressClassName": class_name,
            "rules": [{"host": route.host, "http": http} if route.host else {"http": http}],
        },
    }
