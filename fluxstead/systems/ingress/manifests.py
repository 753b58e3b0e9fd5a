"""The ingress controller's layer, and the router that turns all systems' routes into its objects."""

from __future__ import annotations

from collections.abc import Sequence

from fluxstead.core.platform import Platform
from fluxstead.nodes.model import Node
from fluxstead.systems.ingress import nginx, traefik
from fluxstead.systems.ingress.checks import findings_of
from fluxstead.systems.ingress.entrance import OWN_PORTS, Entrance
from fluxstead.systems.ingress.settings import IngressSettings
from fluxstead.tree.asks import Gate, Issuer, Router
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
    entrance = Entrance(_node(nodes), _port(settings, platform, tls=issuer is not None), issuer, gate)
    if settings.controller == "ingress-nginx":
        return nginx.NginxRouter(entrance, nginx.pods_of(settings))
    return traefik.TraefikRouter(entrance, traefik.pods_of(settings, platform))


def plan(settings: IngressSettings | None, platform: Platform, router: Router | None, issuer: Issuer | None = None) -> Plan:
    """The controller, which answers for all systems' routes; nothing where none is described."""
    if settings is None:
        return Plan()
    if settings.controller == "ingress-nginx":
        layers: tuple[Layer, ...] = (nginx.controller(settings, platform, issuer),)
        scrape = nginx.scrape(settings)
    else:
        layers, scrape = traefik.layers(settings, platform, issuer), traefik.scrape(settings, platform)
    return Plan(
        layers=layers, scrapes=(scrape,), router=router, findings=tuple(findings_of(settings, platform, tls=issuer is not None))
    )


def https_port_of(settings: IngressSettings | None, platform: Platform) -> int | None:
    """The port at which people come in by HTTPS; None in a cluster without a way in."""
    return _port(settings, platform, tls=True) if settings else None


def tells_sources(settings: IngressSettings | None) -> bool:
    """Whether the controller is told from where requests come."""
    return settings is not None and settings.keep_source_addresses


def _node(nodes: Sequence[Node]) -> str:
    """The address to come in at. Node ports answer on every node; a live server is the surest one to be there."""
    by_trust = sorted(nodes, key=lambda node: (node.state != "live", node.role != "server"))
    return str(by_trust[0].address) if by_trust else "localhost"


def _port(settings: IngressSettings, platform: Platform, *, tls: bool) -> int:
    """k3s's Traefik asks for a load balancer, which servicelb puts on its own ports of the nodes; else the node port."""
    if settings.bundled(platform) and "servicelb" not in platform.disabled:
        return OWN_PORTS["https" if tls else "http"]
    return settings.https_port if tls else settings.http_port
