"""Longhorn: the storage of the cluster, on the disks that the nodes declare."""

from fluxstead.systems.longhorn.keeping import DescribedKeeper
from fluxstead.systems.longhorn.manifests import class_for, plan
from fluxstead.systems.longhorn.storage import DEFAULT_CLASS
from fluxstead.systems.longhorn.system import LONGHORN

__all__ = ["DEFAULT_CLASS", "LONGHORN", "DescribedKeeper", "class_for", "plan"]
