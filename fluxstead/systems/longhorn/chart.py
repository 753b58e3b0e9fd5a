"""Longhorn's chart: what it and the managers that it starts bring, and what depends on it.

Sources: longhorn/longhorn chart/templates/{crds,storageclass,priorityclass}.yaml; longhorn/longhorn-manager webhook/server/{server,
validation,mutation}.go and webhook/resources/*/{validator,mutator}.go for who is asked about what, and
controller/setting_controller.go for `longhorn-static`; each at every release from v1.5.0 to v1.12.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from fluxstead.catalog.brings import Brings, Operation, Part, Webhook, kinds, webhook
from fluxstead.catalog.chart import Chart, SecretName, Values
from fluxstead.core.shape import mapping

_BACKUP_KEYS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "cifs": ("CIFS_USERNAME", "CIFS_PASSWORD"),
    "azblob": ("AZBLOB_ACCOUNT_NAME", "AZBLOB_ACCOUNT_KEY"),
}
"""What Longhorn reads from a backup target's Secret, by the target's scheme (Longhorn's docs, "Setting a Backup Target")."""


def _asked(type_: Literal["validating", "mutating"], names: str, *operations: Operation) -> Webhook:
    name = "validator.longhorn.io" if type_ == "validating" else "mutator.longhorn.io"
    return webhook(name, type_, kinds("longhorn.io", names), *operations)


def _claims(since: str, until: str | None = None) -> Part:
    """Every PersistentVolumeClaim of the cluster: with no manager running, none can be resized or labelled."""
    asked = webhook("validator.longhorn.io", "validating", frozenset({"PersistentVolumeClaim"}), "UPDATE")
    return Part(since, Brings(webhooks=(asked,)), until)


# The managers write their webhook configurations at their first start, so what is applied before, such as a Node
# with its disks on a fresh cluster, is not asked about.
_FROM_THE_START = (
    _asked("validating", "Engine Node Orphan RecurringJob Replica Setting Snapshot Volume VolumeAttachment"),
    _asked("validating", "BackingImage SupportBundle SystemBackup SystemRestore", "CREATE"),
    _asked("validating", "BackingImage", "DELETE"),
    _asked("mutating", "BackingImage BackingImageDataSource BackingImageManager Backup Engine Node RecurringJob"),
    _asked("mutating", "Replica Volume VolumeAttachment"),
    _asked("mutating", "BackupVolume EngineImage Orphan ShareManager Snapshot SupportBundle SystemBackup", "CREATE"),
)

_PARTS = (
    Part(
        "1.5",
        Brings(
            crds=kinds(
                "longhorn.io",
                "BackingImage BackingImageDataSource BackingImageManager Backup BackupTarget BackupVolume Engine "
                "EngineImage InstanceManager Node Orphan RecurringJob Replica Setting ShareManager Snapshot "
                "SupportBundle SystemBackup SystemRestore Volume VolumeAttachment",
            ),
            storage_classes=frozenset({"longhorn"}),
            default_storage_class="longhorn",
            webhooks=_FROM_THE_START,
        ),
    ),
    Part("1.5.2", Brings(webhooks=(_asked("validating", "Setting", "DELETE"),))),
    Part("1.5.4", Brings(webhooks=(_asked("validating", "Replica", "DELETE"),))),
    Part(
        "1.6",
        Brings(
            crds=kinds("longhorn.io", "BackupBackingImage"),
            webhooks=(
                _asked("validating", "InstanceManager"),
                _asked("mutating", "BackupBackingImage InstanceManager"),
                _asked("mutating", "BackupVolume EngineImage Orphan ShareManager Snapshot", "UPDATE"),
                _asked("mutating", "SupportBundle SystemBackup", "UPDATE"),
            ),
        ),
    ),
    Part("1.6.3", Brings(storage_classes=frozenset({"longhorn-static"}))),
    _claims("1.6.4", until="1.7"),
    _claims("1.7.3"),
    Part(
        "1.8",
        Brings(
            webhooks=(
                _asked("validating", "BackupTarget", "CREATE", "UPDATE", "DELETE"),
                _asked("validating", "Backup BackupBackingImage", "CREATE"),
                _asked("mutating", "BackupTarget"),
            ),
        ),
    ),
    Part("1.9.1", Brings(webhooks=(_asked("validating", "BackupVolume"),))),
    Part(
        "1.10",
        Brings(
            webhooks=(
                _asked("validating", "Backup", "UPDATE"),
                _asked("validating", "EngineImage Node", "DELETE"),
                _asked("mutating", "Setting"),
            ),
        ),
    ),
    Part("1.6", Brings(priority_classes=frozenset({"longhorn-critical"}))),
    # Kubernetes' own nodes, in this one release: with no manager running, no node could be labelled.
    Part(
        "1.11.0",
        Brings(webhooks=(webhook("validator.longhorn.io", "validating", frozenset({"Node"}), "UPDATE"),)),
        until="1.11.1",
    ),
    Part(
        "1.12",
        Brings(
            crds=kinds("longhorn.io", "EngineFrontend"),
            webhooks=(_asked("validating", "EngineFrontend"), _asked("mutating", "EngineFrontend")),
        ),
    ),
    Part(
        "1.12.1",
        Brings(
            crds=kinds("longhorn.io", "Shard ShardGroup"),
            webhooks=(
                _asked("validating", "Shard ShardGroup"),
                _asked("validating", "BackingImage", "UPDATE"),
                _asked("validating", "Shard Snapshot Volume", "DELETE"),
                _asked("mutating", "Shard ShardGroup"),
            ),
        ),
    ),
)


def _with_values(brings: Brings, values: Values) -> Brings:
    default = mapping(values, "persistence").get("defaultClass", True)
    return replace(brings, default_storage_class="longhorn" if default else None)


def _secrets(values: Values) -> Iterator[SecretName]:
    for store in (mapping(values, "defaultBackupStore"), mapping(values, "defaultSettings")):
        scheme = str(store.get("backupTarget", "")).partition("://")[0]
        yield SecretName(store.get("backupTargetCredentialSecret"), _BACKUP_KEYS.get(scheme, ()))


LONGHORN = Chart(
    name="longhorn",
    title="Longhorn",
    parts=_PARTS,
    with_values=_with_values,
    single=True,
    holds_volumes="Longhorn's own way to uninstall it, which deletes every volume,",
    secrets=_secrets,
)
