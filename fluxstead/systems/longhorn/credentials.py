"""The credentials of the backup target, as Longhorn reads them from a Secret in its namespace."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.systems.longhorn.chart import BACKUP_KEYS
from fluxstead.systems.longhorn.settings import BackupTarget, LonghornSettings
from fluxstead.tree.asks import SecretKey, SecretNeed

_MORE = {
    "s3": (
        SecretKey(name="AWS_ENDPOINTS", form="one line", optional=True, hint="the store's URL, where it is not Amazon's"),
        SecretKey(name="AWS_CERT", form="PEM", optional=True, hint="the certificate of the store's own authority"),
        SecretKey(name="VIRTUAL_HOSTED_STYLE", form="one line", optional=True, hint="true, where the store wants it"),
    ),
    "azblob": (
        SecretKey(name="AZBLOB_ENDPOINT", form="one line", optional=True),
        SecretKey(name="AZBLOB_CERT", form="PEM", optional=True),
    ),
}
"""Keys that Longhorn reads where they are there (longhorn-manager: types and webhook/resources/backuptarget)."""


def needs_of(settings: LonghornSettings) -> Iterator[SecretNeed]:
    """The Secrets of the described targets; NFS has none."""
    if settings.backup_target:
        yield from _need(settings, settings.backup_target, "longhorn")
    for target in settings.backup_targets.values():
        yield from _need(settings, target, "longhorn-backups")


def _need(settings: LonghornSettings, target: BackupTarget, layer: str) -> Iterator[SecretNeed]:
    if target.credential_secret is None:
        return
    scheme = target.url.partition("://")[0]
    yield SecretNeed(
        namespace=settings.namespace,
        name=target.credential_secret,
        layer=layer,
        purpose=f"Longhorn's backups to {scheme}://…",
        source=target.source_of("credentialSecret"),
        # Its webhook refuses a target whose Secret has spaces or line ends around a value.
        keys=(*(SecretKey(name=key, form="one line") for key in BACKUP_KEYS.get(scheme, ())), *_MORE.get(scheme, ())),
    )
