"""What copies of the datastore declare about themselves."""

from __future__ import annotations

from fluxstead.system import System
from fluxstead.systems.datastore import checks

DATASTORE = System(
    name="datastore",
    key=None,
    does="copies of the cluster's own state: etcd's to S3, SQLite's encrypted; declared in `kubernetes`",
    planned=checks.CHECKS,
    live="fluxstead.systems.datastore.live",
)
