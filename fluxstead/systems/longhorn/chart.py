"""Longhorn's chart: what it and the managers that it starts bring, and what depends on it.

Sources: longhorn/longhorn chart/templates/{crds,storageclass,priorityclass}.yaml and, for `longhorn-static`,
longhorn/longhorn-manager controller/setting_controller.go; each at every release from v1.5.0 to v1.12.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.brings import Brings, Part, kinds
from fluxstead.catalog.chart import Chart, ChartImage, MonitoredService, OpenUi, SecretName, Values
from fluxstead.core.duration import Duration
from fluxstead.core.shape import mapping

BACKUP_KEYS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "cifs": ("CIFS_USERNAME", "CIFS_PASSWORD"),
    "azblob": ("AZBLOB_ACCOUNT_NAME", "AZBLOB_ACCOUNT_KEY"),
}
"""What Longhorn reads from a backup target's Secret, by the target's scheme (Longhorn's docs, "Setting a Backup Target")."""


_PARTS = (
    Part(
        (1, 5),
        Brings(
            crds=kinds(
                "longhorn.io",
                "BackingImage BackingImageDataSource BackingImageManager Backup BackupTarget BackupVolume Engine "
                "EngineImage InstanceManager Node Orphan RecurringJob Replica Setting ShareManager Snapshot "
                "SupportBundle SystemBackup SystemRestore Volume VolumeAttachment",
            ),
            storage_classes=frozenset({"longhorn"}),
            default_storage_class="longhorn",
        ),
    ),
    Part((1, 6), Brings(crds=kinds("longhorn.io", "BackupBackingImage"), priority_classes=frozenset({"longhorn-critical"}))),
    Part((1, 6, 3), Brings(storage_classes=frozenset({"longhorn-static"}))),
    Part((1, 12), Brings(crds=kinds("longhorn.io", "EngineFrontend"))),
    Part((1, 12, 1), Brings(crds=kinds("longhorn.io", "Shard ShardGroup"))),
)


def _with_values(brings: Brings, values: Values) -> Brings:
    default = mapping(values, "persistence").get("defaultClass", True)
    return brings._replace(default_storage_class="longhorn" if default else None)


def _secrets(values: Values) -> Iterator[SecretName]:
    for store in (mapping(values, "defaultBackupStore"), mapping(values, "defaultSettings")):
        scheme = str(store.get("backupTarget", "")).partition("://")[0]
        yield SecretName(store.get("backupTargetCredentialSecret"), BACKUP_KEYS.get(scheme, ()))


def _on_the_host(values: Values) -> str:
    del values
    return "managers that mount the host's directories, privileged"


LONGHORN = Chart(
    name="longhorn",
    title="Longhorn",
    parts=_PARTS,
    with_values=_with_values,
    single=True,
    holds_volumes="Longhorn's own way to uninstall it, which deletes every volume,",
    secrets=_secrets,
    # templates/ingress.yaml, httproute.yaml and deployment-ui.yaml
    open_uis=(
        OpenUi(
            name="Longhorn's UI",
            services="longhorn-frontend",
            at_stake="it can delete every volume",
            ingress=("ingress",),
            http_route=("httproute",),
            service=("service", "ui"),
            grave=True,
        ),
    ),
    on_the_host=_on_the_host,
    # Service longhorn-backend (chart/templates/daemonset-sa.yaml).
    monitored=(MonitoredService({"app": "longhorn-manager"}, frozenset({"manager"}), (1, 5, 0)),),
    # Jobs before and after, of which each may take 15 minutes (chart/templates/preupgrade-job.yaml), and a DaemonSet to roll out.
    takes=Duration("5m"),
    # Longhorn's docs, "Best Practices": no 32-bit processors.
    images=(
        ChartImage(
            "longhornio/longhorn-manager", frozenset({"amd64", "arm64", "s390x"}), selector=("longhornManager", "nodeSelector")
        ),
    ),
)
