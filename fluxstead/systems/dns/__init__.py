"""Names that CoreDNS answers inside the cluster."""

from fluxstead.systems.dns.manifests import names_of, plan
from fluxstead.systems.dns.system import DNS

__all__ = ["DNS", "names_of", "plan"]
