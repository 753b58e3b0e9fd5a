"""Applications: your own images in their environments, and directories of your own manifests."""

from fluxstead.systems.applications.manifests import plan
from fluxstead.systems.applications.system import APPLICATIONS

__all__ = ["APPLICATIONS", "plan"]
