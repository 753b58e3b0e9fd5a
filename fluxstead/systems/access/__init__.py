"""Who may come in by routes: passwords, an identity provider, networks."""

from fluxstead.systems.access.manifests import gate_of, plan
from fluxstead.systems.access.system import ACCESS

__all__ = ["ACCESS", "gate_of", "plan"]
