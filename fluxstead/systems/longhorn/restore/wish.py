"""What is to come back: a backup, and the claim that is to have it. It is noted when a restore begins, and never chosen again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.quantity import Quantity
from fluxstead.core.shape import at, mapping
from fluxstead.live.resources import Refused
from fluxstead.live.verify.storage import CLASSES
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
    of the class, by which its volumes are made. `reclaim`: what becomes of the volume when its claim goes.
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

    def written(self) -> str:
        """For a note."""
        return json.dumps(self._asdict())


def wish_in(notes: Mapping[str, str], key: str = _KEY) -> Wish:
    """The one that was noted."""
    found = json.loads(notes[key])
    return Wish(**{**found, "modes": tuple(found["modes"])})


def noted(wish: Wish, key: str = _KEY) -> dict[str, str]:
    """What a procedure notes of it."""
    return {key: wish.written()}


def wish_for(api: LiveApi, kept: StoredBackup, claim: Mapping[str, Any], volume: str) -> Wish:
    """A backup in a claim, as that asks for it: its class, its size, its modes. Raises Refused and Unanswered."""
    metadata, spec = mapping(claim, "metadata"), mapping(claim, "spec")
    name = str(spec.get("storageClassName") or "")
    found = api.get(CLASSES, name) if name else None
    if found is not None and found.get("provisioner") != PROVISIONER:
        raise Refused(f"class {name} is not Longhorn's, and the backup would need another one: the claim's storageClassName")
    parameters = {str(key): str(value) for key, value in mapping(found or {}, "parameters").items()}
    if parameters.get("encrypted") == "true":
        raise Refused(f"class {name} is encrypted: its volumes are restored in Longhorn's UI, with the class's own Secrets")
    asked = at(spec, ("resources", "requests", "storage"))
    modes = tuple(str(one) for one in spec.get("accessModes") or ()) or (_MODES.get(kept.mode, "ReadWriteOnce"),)
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
        str(asked or ""),
        modes,
        spec.get("volumeMode") == "Block",
        str((found or {}).get("reclaimPolicy") or "Delete"),
        parameters,
    )
