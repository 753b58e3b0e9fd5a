"""`./run backup`: each claim of Longhorn's, its last good backup, and what has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from fluxstead.core.shape import at, mapping, named
from fluxstead.live.kept import KeptVolume
from fluxstead.live.resources import CLAIMS, VOLUMES
from fluxstead.systems.longhorn.keeping import GROUP, NONE
from fluxstead.systems.longhorn.names import PROVISIONER
from fluxstead.systems.longhorn.restore.store import StoredBackup, backups_of

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi


def listed(api: LiveApi) -> Sequence[KeptVolume]:
    """One row for each claim, and one for each that is only in a target any more. Raises Unanswered."""
    found = backups_of(api)
    newest: dict[tuple[str, str], StoredBackup] = {}
    of_volume: dict[str, StoredBackup] = {}
    for one in found:
        of_volume.setdefault(one.volume, one)
        if one.claim[1]:
            newest.setdefault(one.claim, one)
    rows = {(row.namespace, row.claim): row for row in _claims(api, newest, of_volume)}
    gone = (_gone(key, kept) for key, kept in newest.items() if key not in rows)
    return sorted((*rows.values(), *gone), key=lambda row: (row.gone, row.namespace, row.claim))


def _claims(
    api: LiveApi, newest: Mapping[tuple[str, str], StoredBackup], of_volume: Mapping[str, StoredBackup]
) -> Iterator[KeptVolume]:
    handles = {named(one).name: str(at(one, ("spec", "csi", "volumeHandle"))) for one in api.pages(VOLUMES) if _is_ours(one)}
    for claim in api.pages(CLAIMS):
        bound = str(at(claim, ("spec", "volumeName")) or "")
        if bound not in handles:
            continue
        key = (named(claim).namespace, named(claim).name)
        kept = max((one for one in (newest.get(key), of_volume.get(handles[bound])) if one), key=lambda one: one.made, default=None)
        labels = mapping(mapping(claim, "metadata"), "labels")
        yield _row(key, bound, kept, on_purpose=f"{GROUP}/{NONE}" in labels)


def _is_ours(volume: Mapping[str, object]) -> bool:
    return bool(at(volume, ("spec", "csi", "driver")) == PROVISIONER)


def _row(key: tuple[str, str], volume: str, kept: StoredBackup | None, *, on_purpose: bool = False) -> KeptVolume:
    if kept is None:
        return KeptVolume(*key, volume, on_purpose=on_purpose)
    return KeptVolume(*key, volume, kept.name, kept.made, kept.size, kept.target, on_purpose)


def _gone(key: tuple[str, str], kept: StoredBackup) -> KeptVolume:
    return _row(key, kept.volume, kept)._replace(gone=True)
