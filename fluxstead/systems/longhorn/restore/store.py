"""What the targets hold, by Longhorn's objects about it, and of which claim it is.

Sources, in longhorn/longhorn-manager: k8s/pkg/apis/longhorn/v1beta2/backup.go, what a Backup says; engineapi/types.go and
controller/kubernetes_pv_controller.go, the label `KubernetesStatus` in which a backup keeps whose claim its volume was (JSON of
KubernetesStatus: namespace, pvcName); types/types.go, the label with the access mode.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.shape import at, mapping, named
from fluxstead.live.moments import moment_of
from fluxstead.live.resources import Refused
from fluxstead.systems.longhorn.resources import BACKUPS, TARGETS

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_STATUS, _MODE = "KubernetesStatus", "longhorn.io/volume-access-mode"
_COMPLETED = "Completed"
_EVER = datetime.min.replace(tzinfo=UTC)


class StoredBackup(NamedTuple):
    """One backup of a volume. `home`: Longhorn's namespace; `size`: the volume's, in bytes; `claim`: whose it was, if known.

    `mode`: how the claim was accessed, in Longhorn's words.
    """

    home: str
    name: str
    url: str
    volume: str
    target: str
    size: int
    made: datetime
    claim: tuple[str, str]
    mode: str

    @property
    def at(self) -> str:
        """When it was made, as people read it."""
        return f"{self.made:%Y-%m-%d %H:%M} UTC"


def backups_of(api: LiveApi) -> list[StoredBackup]:
    """All that are whole, the newest first. Raises Unanswered."""
    found = (_kept(one) for one in api.pages(BACKUPS))
    return sorted((one for one in found if one), key=lambda one: (one.made, one.name), reverse=True)


def _kept(obj: Mapping[str, Any]) -> StoredBackup | None:
    status = mapping(obj, "status")
    if status.get("state") != _COMPLETED or not status.get("url"):
        return None
    labels = {**mapping(mapping(obj, "spec"), "labels"), **mapping(status, "labels")}
    made = moment_of(status.get("backupCreatedAt") or status.get("snapshotCreatedAt"))
    of = str(status.get("volumeName") or at(obj, ("metadata", "labels", "backup-volume")) or "")
    size = str(status.get("volumeSize") or "")
    return StoredBackup(
        *named(obj),
        str(status["url"]),
        of,
        str(status.get("backupTargetName") or "default"),
        int(size) if size.isdecimal() else 0,
        made or _EVER,
        _claim(labels.get(_STATUS)),
        str(labels.get(_MODE) or "rwo"),
    )


def _claim(text: object) -> tuple[str, str]:
    try:
        found = json.loads(str(text))
    except ValueError:
        return "", ""
    return (str(found.get("namespace") or ""), str(found.get("pvcName") or "")) if isinstance(found, dict) else ("", "")


def chosen(found: Iterable[StoredBackup], namespace: str, claim: str, volume: str, at_: str) -> StoredBackup:
    """The newest backup of a claim, or the one that is named; also of the claim's volume, whoever had it then. Raises Refused."""
    own = [one for one in found if one.claim == (namespace, claim) or (volume and one.volume == volume)]
    if not own:
        raise Refused(f"no backup of {namespace}/{claim} is whole: ./run backup says what there is")
    if not at_:
        return own[0]
    for one in own:
        if one.name == at_:
            return one
    there = ", ".join(f"{one.name} ({one.at})" for one in own[:5])
    raise Refused(f"{at_} is no backup of {namespace}/{claim}; there are {there}")


def unusable(api: LiveApi, kept: StoredBackup) -> str:
    """Why a backup cannot be read now; empty where it can. Raises Unanswered."""
    target = api.get(TARGETS, kept.target, kept.home)
    if target is None:
        return f"there is no backup target {kept.target}"
    return "" if at(target, ("status", "available")) is True else f"the backup target {kept.target} is not available"
