"""Names that CoreDNS answers inside the cluster."""

from fluxstead.systems.dns.manifests import plan

__all__ = ["plan"]
