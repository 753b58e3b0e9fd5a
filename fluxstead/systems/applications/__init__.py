"""Applications: one's own images in their environments, and directories of one's own manifests."""

from fluxstead.systems.applications.manifests import plan
from fluxstead.systems.applications.system import APPLICATIONS

__all__ = ["APPLICATIONS", "plan"]
