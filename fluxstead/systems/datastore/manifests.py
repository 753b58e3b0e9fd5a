"""What etcd's copies need in the cluster: the Secret with the store, and the two keys of k3s's that name it.

Source: k3s pkg/etcd/s3/config_secret.go, which reads all about the store from one Secret, and s3.go (`GetClient`), which reads it
only where nothing else is said about S3. SQLite's copies are the server's own, and need nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.systems.datastore.checks import findings_of
from fluxstead.systems.datastore.settings import DescribedState, EtcdSnapshots
from fluxstead.tree.asks import HostSetting, SecretKey, SecretNeed
from fluxstead.tree.layer import Layer, Plan

LAYER = "etcd-snapshots"
SECRET_TYPE = "etcd.k3s.cattle.io/s3-config-secret"  # noqa: S105 -- a type
KEYS = (
    SecretKey(name="etcd-s3-bucket", form="one line"),
    SecretKey(name="etcd-s3-access-key", form="one line"),
    SecretKey(name="etcd-s3-secret-key", form="one line"),
    SecretKey(
        name="etcd-s3-endpoint",
        form="one line",
        optional=True,
        hint="host:port of the store, without https://, where it is not Amazon's",
    ),
    SecretKey(name="etcd-s3-region", form="one line", optional=True, hint="us-east-1 without it"),
    SecretKey(name="etcd-s3-folder", form="one line", optional=True, hint="where in the bucket"),
    SecretKey(
        name="etcd-s3-endpoint-ca", form="PEM", optional=True, hint="the authority of the store's certificate, where it is your own"
    ),
    SecretKey(name="etcd-s3-endpoint-ca-name", form="one line", optional=True, hint="a ConfigMap in kube-system that holds it"),
    SecretKey(name="etcd-s3-session-token", form="one line", optional=True),
    SecretKey(name="etcd-s3-bucket-lookup-type", form="one line", optional=True, hint="auto, dns or path"),
    SecretKey(name="etcd-s3-timeout", form="one line", optional=True, hint="5m without it"),
    SecretKey(name="etcd-s3-proxy", form="one line", optional=True),
    SecretKey(name="etcd-s3-insecure", form="one line", optional=True, hint="true: by plain HTTP"),
    SecretKey(name="etcd-s3-skip-ssl-verify", form="one line", optional=True, hint="true: whoever answers gets the copies"),
)
"""Without a bucket k3s sends nothing; without a login it looks for one in the machine's own cloud."""


def plan(datastore: DescribedState) -> Plan:
    """A layer for the Secret alone, and what k3s is told, where etcd's copies go to S3."""
    findings = tuple(findings_of(datastore))
    snapshots = datastore.snapshots
    if datastore.kind != "etcd" or snapshots is None or snapshots.s3_config_secret is None:
        return Plan(findings=findings)
    source = snapshots.source_of("s3ConfigSecret")
    need = SecretNeed(
        namespace="kube-system",
        name=snapshots.s3_config_secret,
        layer=LAYER,
        purpose="the store that k3s sends copies of etcd to, and its login",
        source=source,
        keys=KEYS,
        type=SECRET_TYPE,
        # Of a key that it does not know k3s says nothing, and goes by its default.
        alone=True,
    )
    # Its objects are ciphertext alone; k3s looks for the Secret at each copy, so nothing waits for it.
    layer = Layer(name=LAYER, group="infrastructure", source=source, waits=False)
    return Plan(layers=(layer,), secrets=(need,), host_settings=tuple(_told(snapshots)), findings=findings)


def _told(snapshots: EtcdSnapshots) -> Iterator[HostSetting]:
    """These two keys and no other of S3's, or k3s would go by those and not by the Secret."""
    for key, value in (("etcd-s3", True), ("etcd-s3-config-secret", snapshots.s3_config_secret or "")):
        yield HostSetting(
            key=key,
            value=value,
            purpose="copies of etcd go to S3",
            instead="etcdSnapshots without s3ConfigSecret",
            source=snapshots.source_of("s3ConfigSecret"),
        )
