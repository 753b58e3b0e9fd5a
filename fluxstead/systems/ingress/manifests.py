"""The ingress controller's layer, and the router that turns all systems' routes into its objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.nodes.model import Node
from fluxstead.systems.ingress import nginx, traefik
from fluxstead.systems.ingress.checks import findings_of
from fluxstead.systems.ingress.entrance import OWN_PORTS, Entrance
from fluxstead.systems.ingress.settings import Controller, IngressSettings
from fluxstead.tree.asks import ControllerPods, Gate, Issuer, Link, Route, Router, Scrape
from fluxstead.tree.layer import Layer, Plan


def router_of(
    settings: IngressSettings | None,
    platform: Platform,
    nodes: Sequence[Node],
    issuer: Issuer | None = None,
    gate: Gate | None = None,
) -> Router | None:
    """How routes become objects, and where people reach them; None in a cluster without a way in.

    `issuer`: whose certificates they have; without one, they are plain HTTP. `gate`: who may come in.
    """
    if settings is None:
        return None
    first, *second = (
        _router(one, platform, Entrance(_node(nodes), _port(one, platform, tls=issuer is not None), issuer, gate, suffix))
        for one, suffix in zip(
            settings.controllers, ("", f"-{settings.beside.controller}" if settings.beside else ""), strict=False
        )
    )
    return Together(first, second[0]) if second else first


def _router(settings: Controller, platform: Platform, entrance: Entrance) -> Router:
    if settings.controller == "ingress-nginx":
        return nginx.NginxRouter(entrance, (nginx.pods_of(settings),), settings.keep_source_addresses)
    return traefik.TraefikRouter(entrance, (traefik.pods_of(settings, platform),), settings.keep_source_addresses)


class Together(NamedTuple):
    """Two controllers for the same routes, so that people may move from one to the other; links lead to the first."""

    first: Router
    second: Router

    @property
    def controllers(self) -> tuple[ControllerPods, ...]:
        """The pods of both."""
        return (*self.first.controllers, *self.second.controllers)

    @property
    def tells_sources(self) -> bool:
        """Whether both are told from where requests come."""
        return self.first.tells_sources and self.second.tells_sources

    @property
    def needs_sign_in(self) -> bool:
        """Whether one of them has to be told where people log in."""
        return self.first.needs_sign_in or self.second.needs_sign_in

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """The objects of each, under names of their own."""
        return (*self.first.manifests(route), *self.second.manifests(route))

    def link(self, route: Route) -> Link:
        """Where a person reaches `route`."""
        return self.first.link(route)


def plan(settings: IngressSettings | None, platform: Platform, router: Router | None, issuer: Issuer | None = None) -> Plan:
    """The controller, which answers for all systems' routes; nothing where none is described."""
    if settings is None:
        return Plan()
    layers: list[Layer] = []
    scrapes: list[Scrape] = []
    for one in settings.controllers:
        if one.controller == "ingress-nginx":
            layers.append(nginx.controller(one, platform, issuer))
            scrapes.append(nginx.scrape(one))
        else:
            layers += traefik.layers(one, platform, issuer)
            scrapes.append(traefik.scrape(one, platform))
    return Plan(
        layers=tuple(layers),
        scrapes=tuple(scrapes),
        router=router,
        findings=tuple(findings_of(settings, platform, tls=issuer is not None)),
    )


def https_port_of(settings: IngressSettings | None, platform: Platform) -> int | None:
    """The port at which people come in by HTTPS; None in a cluster without a way in."""
    return _port(settings, platform, tls=True) if settings else None


def _node(nodes: Sequence[Node]) -> str:
    """The address to come in at. Node ports answer on every node; a live server is the surest one to be there."""
    by_trust = sorted(nodes, key=lambda node: (node.state != "live", node.role != "server"))
    return str(by_trust[0].address) if by_trust else "localhost"


def _port(settings: Controller, platform: Platform, *, tls: bool) -> int:
    """k3s's Traefik asks for a load balancer, which servicelb puts on its own ports of the nodes; else the node port."""
    if settings.bundled(platform) and "servicelb" not in platform.disabled:
        return OWN_PORTS["https" if tls else "http"]
    return settings.https_port if tls else settings.http_port
