"""Who may come in by routes: passwords, an identity provider, networks."""

from fluxstead.systems.access.gate import DescribedGate
from fluxstead.systems.access.manifests import plan
from fluxstead.systems.access.system import ACCESS

__all__ = ["ACCESS", "DescribedGate", "plan"]
