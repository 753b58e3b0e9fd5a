"""What a server is told of how the cluster's state is copied there. Nothing of it is secret: recipients are public keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fluxstead.core.schedule import calendars, longest_pause

MISSED: Final = 2
"""How many copies may be missing before it is told."""
SLACK_SECONDS: Final = 2 * 60 * 60
"""A copy takes its time, and clocks are put forward."""
SNAPSHOTS: Final = "/var/lib/rancher/k3s/server/db/snapshots"
"""Where k3s puts copies of etcd (docs.k3s.io: cli/etcd-snapshot)."""


def of_sqlite(schedule: str, keep: int, folder: str, people: Sequence[str], store: Mapping[str, str] | None) -> dict[str, Any]:
    """For the server that copies SQLite by itself."""
    told: dict[str, Any] = {"datastore": "sqlite", "folder": folder, "late": _late(schedule), "keep": keep}
    told |= {"calendars": list(calendars(schedule)), "recipients": list(people)}
    return {**told, "store": dict(store)} if store else told


def of_etcd(schedule: str, keep: int, folder: str) -> dict[str, Any]:
    """For each server of etcd, which k3s copies."""
    return {"datastore": "etcd", "folder": folder or SNAPSHOTS, "late": _late(schedule), "keep": keep}


def _late(schedule: str) -> int:
    return MISSED * (longest_pause(schedule) or 0) + SLACK_SECONDS
