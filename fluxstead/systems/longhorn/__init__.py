"""Longhorn: the storage of the cluster, on the disks that the nodes declare."""

from fluxstead.systems.longhorn.manifests import LonghornPlan, class_for, plan

__all__ = ["LonghornPlan", "class_for", "plan"]
