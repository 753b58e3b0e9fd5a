"""The ingress controller's layer, the routes of earlier systems, and the router for later ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fluxstead.core.platform import Platform
from fluxstead.core.route import Route, Router
from fluxstead.nodes.model import Node
from fluxstead.systems.ingress import nginx, traefik
from fluxstead.systems.ingress.checks import findings_of
from fluxstead.systems.ingress.entrance import Entrance
from fluxstead.systems.ingress.settings import IngressSettings
from fluxstead.tree.layer import Layer, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressPlan(Plan):
    """What the ingress controller gives to later systems: how a route becomes its objects, and where it is reached."""

    router: Router


def plan(settings: IngressSettings, platform: Platform, nodes: Sequence[Node], routes: Sequence[Route]) -> IngressPlan:
    """The controller, and a layer for each of `routes`, apart from its system: storage never waits for the controller."""
    entrance = Entrance(_node(nodes), _port(settings, platform))
    router: Router
    if settings.controller == "ingress-nginx":
        router = nginx.NginxRouter(entrance, settings.namespace_name)
        controller, scrape = nginx.controller(settings, platform), nginx.scrape(settings)
    else:
        router = traefik.TraefikRouter(entrance, traefik.namespace_of(settings, platform))
        controller, scrape = traefik.controller(settings, platform), traefik.scrape(settings, platform)
    return IngressPlan(
        layers=(controller, *(_layer(route, router) for route in routes)),
        scrapes=(scrape,),
        addresses=tuple(router.address(route) for route in routes),
        findings=tuple(findings_of(settings, platform)),
        router=router,
    )


def _layer(route: Route, router: Router) -> Layer:
    return Layer(name=f"{route.name}-routes", group="infrastructure", source=route.source, manifests=router.manifests(route))


def _node(nodes: Sequence[Node]) -> str:
    """The address to come in at. Node ports answer on every node; a live server is the one that is there for sure."""
    by_trust = sorted(nodes, key=lambda node: (node.state != "live", node.role != "server"))
    return by_trust[0].address if by_trust else "localhost"


def _port(settings: IngressSettings, platform: Platform) -> int:
    """k3s's Traefik asks for a load balancer, which servicelb puts on port 80 of the nodes; else the node port."""
    return 80 if settings.bundled(platform) and "servicelb" not in platform.disabled else settings.http_port
