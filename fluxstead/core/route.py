"""Routes: how a system asks to be reached over HTTP, whatever the ingress controller is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fluxstead.core.findings import Source
from fluxstead.core.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way in: requests for `host` (None: any) under `path` go to the Service's port.

    `strip_path` takes the path off before the Service sees it, and redirects the bare path to the one with a slash, keeping
    host and port (failure F21: without the slash the Longhorn UI is a blank page).
    """

    name: str
    namespace: str
    service: str
    port: int
    source: Source
    host: str | None = None
    path: str = "/"
    strip_path: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """One thing to open in a browser."""

    name: str
    url: str


class Router(Protocol):
    """What the ingress system hands to later ones: a route becomes the controller's objects, and has an address."""

    @property
    def controller_namespace(self) -> str:
        """The namespace of the controller's pods, for network policies that let them in."""

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """The objects that make `route` work, all in the route's namespace."""

    def address(self, route: Route) -> Address:
        """Where a person reaches `route`."""
