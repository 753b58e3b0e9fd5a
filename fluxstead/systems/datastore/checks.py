"""Rules for copies of the cluster's own state.

Sources: docs.k3s.io: cli/etcd-snapshot (on by default, on each server's own disk; which releases read the store from a Secret;
that the Secret is ignored where anything else is said about S3), backup-restore (SQLite: k3s copies nothing by itself).
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.k3s_options import options_of
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.version import Version
from fluxstead.systems.datastore.settings import DIRECTORY, DescribedState, EtcdSnapshots, SqliteBackups

NEEDS_SQLITE = refuses("datastore/needs-sqlite", "U7", "sqliteBackups are described, and the datastore is etcd", "the description")
NO_COPY = warns(
    "datastore/no-copy", "U7", "nothing copies the cluster's own state, which is SQLite's on one server", "the description"
)
NO_RECIPIENT = refuses("datastore/no-recipient", "F22", "nobody is described who could decrypt a copy", "the description")
NO_S3_SECRET = refuses("datastore/no-s3-secret", "F20", "k3s v1.28.9+k3s1 reads no store from a Secret", "the description")
SAID_TO_K3S_TOO = refuses(
    "datastore/s3-said-twice", "F20", "config.etcd-s3-bucket is described, and s3ConfigSecret", "the description"
)
SAME_DISK = warns("datastore/same-disk", "U7", "each copy of SQLite lies on the disk that it is a copy of", "the description")
NOT_TOLD = warns("datastore/s3-not-told", "F20", "k3s is not told of the Secret etcd-s3", "the description")
CHECKS = (NEEDS_SQLITE, NO_COPY, NO_RECIPIENT, NO_S3_SECRET, NOT_TOLD, SAID_TO_K3S_TOO, SAME_DISK)

_SINCE = {(1, 28): (1, 28, 13), (1, 29): (1, 29, 8), (1, 30): (1, 30, 4)}
"""The first releases of former minor versions that read the store from a Secret; all later minor versions do."""
_STAKE = (
    "what Git does not hold is lost with that disk: which Longhorn volume is whose, Secrets and tokens made in the cluster,"
    " objects applied by hand, and every machine has to join anew"
)


def findings_of(datastore: DescribedState) -> Iterator[Finding]:
    """What is wrong with the copies as they are described, or with there being none."""
    if datastore.kind == "etcd":
        yield from _of_etcd(datastore)
    elif datastore.backups is None:
        yield NO_COPY(
            datastore.place_of("datastore"),
            what="nothing copies the cluster's own state, which is SQLite's on one server",
            why=_STAKE,
            fix="sqliteBackups: {s3: {bucket: …}}, or {directory: …} on another disk (docs/tasks/back-up-the-cluster-state.md)",
        )
    else:
        yield from _of_sqlite(datastore, datastore.backups)


def _of_sqlite(datastore: DescribedState, backups: SqliteBackups) -> Iterator[Finding]:
    if not datastore.people:
        yield NO_RECIPIENT(
            backups.source,
            what="nobody is described who could decrypt a copy of the cluster's state",
            why="it holds every Secret of the cluster and the token that opens it, and is never written in plain text (F22)",
            fix="./run secrets init, which writes fluxstead:secrets: {people: […]}",
        )
    if backups.s3 is None and backups.directory == DIRECTORY:
        yield SAME_DISK(
            backups.source_of("directory"),
            what="each copy of SQLite lies on the disk that it is a copy of",
            why=f"it helps against a mistake, and dies with the disk: then {_STAKE.partition(': ')[2]}",
            fix="s3: {bucket: …}; or directory: a share that you mounted there",
        )


def _of_etcd(datastore: DescribedState) -> Iterator[Finding]:
    if datastore.backups is not None:
        yield NEEDS_SQLITE(
            datastore.backups.source,
            what="sqliteBackups are described, and the datastore is etcd",
            why="there is no file of SQLite's to copy, and k3s copies etcd by itself",
            fix="etcdSnapshots: {schedule: …, s3ConfigSecret: …}; or datastore: sqlite",
        )
    to_s3 = datastore.snapshots is not None and datastore.snapshots.s3_config_secret is not None
    if datastore.config.get("etcd-disable-snapshots") is True:
        yield NO_COPY(
            datastore.place_of("config", "etcd-disable-snapshots"),
            what="nothing copies the cluster's own state: k3s's copies of etcd are switched off",
            why=_STAKE.replace("that disk", "the servers"),
            fix="no etcd-disable-snapshots",
        )
    elif datastore.servers == 1 and not to_s3 and not datastore.config.get("etcd-s3"):
        yield SAME_DISK(
            datastore.place_of("datastore"),
            what="etcd has one server, and each copy of it lies on the disk that it is a copy of",
            why=f"it helps against a mistake, and dies with the disk: then {_STAKE.partition(': ')[2]}",
            fix="etcdSnapshots: {s3ConfigSecret: NAME} (docs/tasks/back-up-the-cluster-state.md)",
        )
    if datastore.snapshots is not None and datastore.snapshots.s3_config_secret is not None:
        yield from _of_the_secret(datastore, datastore.snapshots, datastore.snapshots.s3_config_secret)


def _of_the_secret(datastore: DescribedState, snapshots: EtcdSnapshots, secret: str) -> Iterator[Finding]:
    source = snapshots.source_of("s3ConfigSecret")
    if not _reads_a_secret(datastore.version):
        since = _SINCE.get(datastore.version.minor)
        yield NO_S3_SECRET(
            source,
            what=f"k3s {datastore.version} reads no store from a Secret",
            why="it ignores the key etcd-s3-config-secret with a warning in its log, and sends copies nowhere",
            fix=f"version: v{'.'.join(map(str, since or (1, 30, 4)))}+k3s1, or a later one",
        )
    for key in datastore.config:
        if key.startswith("etcd-s3") and key != "etcd-s3-retention":
            yield SAID_TO_K3S_TOO(
                datastore.place_of("config", key),
                what=f"config.{key} is described, and etcdSnapshots: {{s3ConfigSecret: {secret}}}",
                why="k3s ignores the Secret as soon as anything else is said about S3",
                fix=f"./run secrets set kube-system/{secret} {key}; and not in config" if key != "etcd-s3" else "no such key",
            )
    if not datastore.configures:
        yield NOT_TOLD(
            source,
            what=f"k3s is not told of the Secret {secret}",
            why="without `binaries` its configuration is yours: copies stay on the servers until it is told",
            fix=f"etcd-s3: true and etcd-s3-config-secret: {secret} in /etc/rancher/k3s/config.yaml of each server;"
            " then accept this warning",
        )


def _reads_a_secret(version: Version) -> bool:
    """By the list of its keys where that is known, else by the release notes."""
    known = options_of(version)
    if known.read or version.minor not in _SINCE:
        return "etcd-s3-config-secret" in known.types and version.minor >= min(_SINCE)
    return version.numbers >= _SINCE[version.minor]
