"""Mistakes for the rules about k3s as it is described."""

from __future__ import annotations

from tests.rules.mistakes import STACK, Mistake, edge, reference

_ETCD, _VERSION = "    datastore: etcd\n", "    nodeCidr: 192.168.86.0/24\n"
_S3 = "    etcdSnapshots: {s3ConfigSecret: etcd-s3}\n"
_DIGEST = f"binaries: {{amd64: {'0123456789abcdef' * 4}}}"


def _more(id_: str, at: str, line: str, *, beside: str = "") -> Mistake:
    return reference(id_, at, (STACK, _VERSION, f"{_VERSION}    {line}\n"), beside=beside)


OF_K3S = (
    edge("k3s/one-server-only", "fluxstead:kubernetes", (_ETCD, ""), beside="datastore/no-copy"),
    Mistake(
        id="k3s/even-servers",
        base="edge",
        edits=(("nodes/gamma.yaml", "role: server", "role: agent"),),
        at="datastore",
        beside=frozenset(),
    ),
    _more("k3s/needs-etcd", "etcdSnapshots", "etcdSnapshots: {retention: 9}"),
    _more("k3s/needs-etcd", "etcd-arg", "config: {etcd-arg: [quota-backend-bytes=8589934592]}"),
    reference("k3s/needs-etcd", "rejoin", ("nodes/k3s1.yaml", "state: live\n", "state: live\nrejoin: true\n")),
    reference(
        "k3s/no-binary",
        "binaries",
        (STACK, _VERSION, f"{_VERSION}    {_DIGEST}\n"),
        ("nodes/k3s2.yaml", "role: agent\n", "role: agent\narchitecture: arm64\n"),
        beside="images/some-machines secrets/missing",
    ),
    _more("k3s/unknown-key", "kubelet-args", "config: {kubelet-args: [max-pods=200]}"),
    reference(
        "k3s/key-unsure",
        "zebra",
        (STACK, "version: v1.33.1+k3s1", "version: v1.33.99+k3s1"),
        (STACK, _VERSION, f"{_VERSION}    config: {{zebra: true}}\n"),
    ),
    _more("k3s/own-key", "node-name", "config: {node-name: k3s1}"),
    _more("k3s/key-type", "max-pods", "config: {kubelet-arg: {max-pods: 200}}"),
    edge(
        "k3s/contradiction",
        "etcd-expose-metrics",
        (_ETCD, f"{_ETCD}    {_DIGEST}\n    config: {{etcd-expose-metrics: false}}\n"),
        beside="secrets/missing",
    ),
    edge("datastore/no-copy", "fluxstead:kubernetes", (_ETCD, ""), beside="k3s/one-server-only"),
    edge("datastore/no-copy", "etcd-disable-snapshots", (_ETCD, f"{_ETCD}    config: {{etcd-disable-snapshots: true}}\n")),
    _more("datastore/no-recipient", "sqliteBackups", "sqliteBackups: {directory: /mnt/nas/k3s}"),
    _more("datastore/same-disk", "sqliteBackups", "sqliteBackups: {retention: 3}", beside="datastore/no-recipient"),
    _more("datastore/same-disk", "datastore: etcd", "datastore: etcd"),
    edge("datastore/needs-sqlite", "sqliteBackups", (_ETCD, f"{_ETCD}    sqliteBackups: {{retention: 3}}\n")),
    edge("datastore/s3-not-told", "s3ConfigSecret", (_ETCD, _ETCD + _S3), beside="secrets/missing"),
    edge(
        "datastore/s3-said-twice",
        "etcd-s3-bucket",
        (_ETCD, f"{_ETCD}{_S3}    config: {{etcd-s3-bucket: home}}\n"),
        beside="datastore/s3-not-told secrets/missing",
    ),
    reference(
        "datastore/no-s3-secret",
        "s3ConfigSecret",
        (STACK, "version: v1.33.1+k3s1", "version: v1.28.9+k3s1"),
        (STACK, _VERSION, f"{_VERSION}{_ETCD}{_S3}"),
        beside="datastore/s3-not-told secrets/missing versions/compatibility",
    ),
)
