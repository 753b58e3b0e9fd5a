"""The ingress controller's layer, and the router that turns all systems' routes into its objects."""

from __future__ import annotations

from collections.abc import Sequence

from fluxstead.core.platform import Platform
from fluxstead.nodes.model import Node
from fluxstead.systems.ingress import nginx, traefik
from fluxstead.systems.ingress.checks import findings_of
from fluxstead.systems.ingress.entrance import Entrance
from fluxstead.systems.ingress.settings import IngressSettings
from fluxstead.tree.asks import Router
from fluxstead.tree.layer import Plan


def router_of(settings: IngressSettings | None, platform: Platform, nodes: Sequence[Node]) -> Router | None:
    """How routes become objects, and where people reach them; None in a cluster without a way in."""
    if settings is None:
        return None
    entrance = Entrance(_node(nodes), _port(settings, platform))
    if settings.controller == "ingress-nginx":
        return nginx.NginxRouter(entrance, nginx.pods_of(settings))
    return traefik.TraefikRouter(entrance, traefik.pods_of(settings, platform))


def plan(settings: IngressSettings | None, platform: Platform, router: Router | None) -> Plan:
    """The controller, which answers for all systems' routes; nothing where none is described."""
    if settings is None:
        return Plan()
    if settings.controller == "ingress-nginx":
        controller, scrape = nginx.controller(settings, platform), nginx.scrape(settings)
    else:
        controller, scrape = traefik.controller(settings, platform), traefik.scrape(settings, platform)
    return Plan(layers=(controller,), scrapes=(scrape,), router=router, findings=tuple(findings_of(settings, platform)))


def _node(nodes: Sequence[Node]) -> str:
    """The address to come in at. Node ports answer on every node; a live server is the surest one to be there."""
    by_trust = sorted(nodes, key=lambda node: (node.state != "live", node.role != "server"))
    return str(by_trust[0].address) if by_trust else "localhost"


def _port(settings: IngressSettings, platform: Platform) -> int:
    """k3s's Traefik asks for a load balancer, which servicelb puts on port 80 of the nodes; else the node port."""
    return 80 if settings.bundled(platform) and "servicelb" not in platform.disabled else settings.http_port
