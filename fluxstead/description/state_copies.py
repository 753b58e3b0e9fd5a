"""What each machine is told of how the cluster's state is copied: as a function of the description alone."""

from __future__ import annotations

from typing import Any

from fluxstead.description.cluster import Cluster
from fluxstead.description.load import Description
from fluxstead.hosts.state import of_etcd, of_sqlite
from fluxstead.nodes.model import Node
from fluxstead.systems.datastore.settings import EtcdSnapshots


def state_copies(description: Description) -> dict[str, dict[str, Any]]:
    """By the names of the servers that keep it, where something copies it."""
    servers = [node for node in description.nodes if node.role == "server"]
    told = _of_etcd(description.cluster) if description.cluster.kubernetes.datastore == "etcd" else _of_sqlite(description, servers)
    return {node.name: dict(told) for node in servers} if told else {}


def _of_sqlite(description: Description, servers: list[Node]) -> dict[str, Any]:
    cluster = description.cluster
    backups, people = cluster.kubernetes.sqlite_backups, cluster.secrets.people
    if backups is None or not people or len(servers) != 1:
        return {}
    store = None
    if backups.s3:
        store = {"endpoint": backups.s3.url, "bucket": backups.s3.bucket, "region": backups.s3.region}
        store |= {"folder": backups.s3.folder} if backups.s3.folder else {}
    return of_sqlite(backups.schedule, backups.retention, backups.directory, people, store)


def _of_etcd(cluster: Cluster) -> dict[str, Any]:
    """k3s copies it also where nothing is said, at its own times."""
    kubernetes = cluster.kubernetes
    if kubernetes.config.get("etcd-disable-snapshots") is True:
        return {}
    snapshots = (kubernetes.etcd_snapshots if kubernetes.binaries else None) or EtcdSnapshots()
    return of_etcd(snapshots.schedule, snapshots.retention, str(kubernetes.config.get("etcd-snapshot-dir") or ""))
