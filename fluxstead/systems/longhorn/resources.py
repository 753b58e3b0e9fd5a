"""Longhorn's kinds, as the API serves them (longhorn-manager: k8s/pkg/apis/longhorn/v1beta2)."""

from __future__ import annotations

from fluxstead.live.resources import Resource
from fluxstead.systems.longhorn.names import API

LIVE = Resource(API, "volumes")
"""Its volumes; Kubernetes' own are `live.resources.VOLUMES`."""
ENGINES, REPLICAS, SNAPSHOTS = (Resource(API, name) for name in ("engines", "replicas", "snapshots"))
BACKUPS, KEPT, TARGETS = (Resource(API, name) for name in ("backups", "backupvolumes", "backuptargets"))
"""Backups, what a target holds of each volume, and the targets."""
