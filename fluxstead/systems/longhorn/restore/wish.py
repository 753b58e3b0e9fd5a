"""What is to come back: a backup, and the claim that is to have it. It is noted when a restore begins, and never chosen again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import at, mapping
from fluxstead.live.resources import CLASSES, Refused
from fluxstead.systems.longhorn.names import PROVISIONER
from fluxstead.systems.longhorn.restore.store import StoredBackup

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_MODES = {"rwx": "ReadWriteMany", "rwop": "ReadWriteOncePod"}
_LONGHORN_MODES = {mode: word for word, mode in _MODES.items()}
_KEY = "wish"


class Wish(NamedTuple):
    """`volume`: what the new volume is called, in Longhorn and in Kubernetes. `size`: of the backup, in bytes.

    `request`: as the claim asks for space; empty where it is not known, and the backup's size is enough. `parameters`: those
    of the class, by which its volumes are made. `reclaim`: what becomes of the volume when its claim goes. `backed_up_to`: the
    target that it goes on with. `fs_type`, `attributes`, `mount_options`: how it is mounted.
    """

    home: str
    backup: str
    url: str
    target: str
    made: str
    size: int
    volume: str
    namespace: str
    claim: str
    storage_class: str
    request: str
    modes: tuple[str, ...]
    block: bool
    reclaim: str
    parameters: Mapping[str, str]
    backed_up_to: str
    fs_type: str
    attributes: Mapping[str, str]
    mount_options: tuple[str, ...]

    @property
    def label(self) -> str:
        """The claim, as people know it."""
        return f"{self.namespace}/{self.claim}"

    @property
    def capacity(self) -> int:
        """Bytes that the volume has in the end: never less than the backup's."""
        asked = Quantity.read(self.request)
        return max(self.size, asked.bytes if asked else 0)

    @property
    def longhorn_mode(self) -> str:
        """How it is accessed, in Longhorn's words."""
        return next((_LONGHORN_MODES[one] for one in self.modes if one in _LONGHORN_MODES), "rwo")


def wish_in(notes: Mapping[str, str]) -> Wish:
    """The one that was noted."""
    return wish_from(json.loads(notes[_KEY]))


def wish_from(note: Mapping[str, Any]) -> Wish:
    """The one that is in a note."""
    return Wish(**{**note, "modes": tuple(note["modes"]), "mount_options": tuple(note["mount_options"])})


def noted(wish: Wish) -> dict[str, str]:
    """What a procedure notes of it."""
    return {_KEY: json.dumps(wish._asdict())}


class Former(NamedTuple):
    """The volume that a claim has now: Kubernetes' object of it, and Longhorn's."""

    bound: Mapping[str, Any]
    live: Mapping[str, Any]


NOTHING = Former({}, {})


def wish_for(
    api: LiveApi, kept: StoredBackup, claim: Mapping[str, Any], volume: str, *, former: Former = NOTHING, otherwise: str = "Retain"
) -> Wish:
    """A backup in a claim, as that asks for it, and as the volume that it had was mounted and kept.

    `otherwise`: what becomes of a volume that nobody says it of. Raises Refused and Unanswered.
    """
    metadata, spec = mapping(claim, "metadata"), mapping(claim, "spec")
    name = str(spec.get("storageClassName") or "")
    of_class = _class(api, name)
    parameters = {str(key): str(value) for key, value in mapping(of_class, "parameters").items()}
    if parameters.get("encrypted") == "true" or at(former.live, ("spec", "encrypted")) is True:
        raise Refused(f"{metadata.get('name')} is encrypted: it is restored in Longhorn's UI, with the Secrets of its class")
    how = mapping(former.bound, "spec")
    mounted = mapping(how, "csi") or _mounted(parameters)
    policy = how.get("persistentVolumeReclaimPolicy") or of_class.get("reclaimPolicy") or otherwise
    options = how.get("mountOptions") if former.bound else of_class.get("mountOptions")
    return Wish(
        kept.home,
        kept.name,
        kept.url,
        kept.target,
        kept.at,
        kept.size,
        volume,
        str(metadata.get("namespace")),
        str(metadata.get("name")),
        name,
        str(at(spec, ("resources", "requests", "storage")) or ""),
        tuple(str(one) for one in spec.get("accessModes") or ()) or (_MODES.get(kept.mode, "ReadWriteOnce"),),
        spec.get("volumeMode") == "Block",
        str(policy),
        parameters,
        str(at(former.live, ("spec", "backupTargetName")) or parameters.get("backupTargetName") or kept.target),
        str(mounted.get("fsType") or "ext4"),
        {key: str(value) for key, value in mapping(mounted, "volumeAttributes").items() if key not in _OF_THE_FORMER},
        tuple(str(one) for one in options or ()),
    )


_OF_THE_FORMER = frozenset({"storage.kubernetes.io/csiProvisionerIdentity", "fromBackup", "fromSnapshot"})
"""What a volume's attributes say of how that one came about."""
_FS_TYPES = ("csi.storage.k8s.io/fstype", "fsType")
_TAKEN_ALONG = frozenset({"numberOfReplicas", "staleReplicaTimeout", "nfsOptions", "mkfsParams", "dataEngine"})
"""What Longhorn's driver reads of a class where it mounts (longhorn-manager: csi/node_server.go)."""


def _class(api: LiveApi, name: str) -> Mapping[str, Any]:
    if not name:
        return {}
    found = api.get(CLASSES, name)
    if found is None:
        raise Refused(f"there is no class {name}, by which the volume would be made: ./run doctor")
    if found.get("provisioner") != PROVISIONER:
        raise Refused(f"class {name} is not Longhorn's, and the backup would need another one: the claim's storageClassName")
    return found


def _mounted(parameters: Mapping[str, str]) -> Mapping[str, Any]:
    """As the provisioner makes a volume of a class."""
    fs_type = next((parameters[key] for key in _FS_TYPES if key in parameters), "ext4")
    return {"fsType": fs_type, "volumeAttributes": {key: value for key, value in parameters.items() if key in _TAKEN_ALONG}}
