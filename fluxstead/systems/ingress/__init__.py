"""The way in: the ingress controller, and the routes to what the cluster runs."""

from fluxstead.systems.ingress.manifests import IngressPlan, plan

__all__ = ["IngressPlan", "plan"]
