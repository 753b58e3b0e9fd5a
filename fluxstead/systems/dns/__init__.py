"""Names that CoreDNS answers inside the cluster."""

from fluxstead.systems.dns.manifests import plan
from fluxstead.systems.dns.system import DNS

__all__ = ["DNS", "plan"]
