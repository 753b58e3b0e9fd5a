"""The cluster's own state: copies of the datastore, by k3s itself or by its server."""

from fluxstead.systems.datastore.manifests import plan
from fluxstead.systems.datastore.system import DATASTORE

__all__ = ["DATASTORE", "plan"]
