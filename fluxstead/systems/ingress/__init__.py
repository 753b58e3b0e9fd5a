"""The way in: the ingress controller, and the routes to what the cluster runs."""

from fluxstead.systems.ingress.manifests import https_port_of, plan, router_of
from fluxstead.systems.ingress.system import INGRESS

__all__ = ["INGRESS", "https_port_of", "plan", "router_of"]
