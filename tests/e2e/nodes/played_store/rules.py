"""What Longhorn's admission webhooks overwrite of its objects, and what they refuse, in the real ones' words.

Sources: webhook/resources/{volume,backup,snapshot,backuptarget}/{mutator,validator}.go. Of the real rules those are here that a
volume with whole copies meets; of fields that only have a default, those that a restore reads.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.e2e.cluster.api import Json

from .archives import of_url
from .objects import FINALIZER, OF_TARGET, OF_VOLUME, SPACE, Objects, labels_of, reference, status_of
from .sizes import rounded

ACCESS = "longhorn.io/volume-access-mode"
_FRONTENDS = {"blockdev", "iscsi"}


class DeniedError(Exception):
    """Why something is not admitted."""


class Rules:
    """What is overwritten and refused."""

    def __init__(self, objects: Objects, engine_image: str) -> None:
        self._objects = objects
        self._image = engine_image

    def mutated(self, request: Json) -> Json:
        """The object as it is to be; DeniedError where it cannot be told."""
        obj: Json = request["object"]
        if request["operation"] == "UPDATE":
            obj["spec"] = self._updated(obj) if obj["kind"] == "Volume" else obj["spec"]
        elif make := {"Volume": self._volume, "Backup": self._backup, "Snapshot": self._snapshot}.get(obj["kind"]):
            obj = make(obj)
        if not obj["metadata"].get("deletionTimestamp"):
            obj["metadata"]["finalizers"] = [FINALIZER]
        return obj

    def _updated(self, obj: Json) -> Json:
        return {"accessMode": "rwo", **obj["spec"], "size": str(rounded(int(obj["spec"]["size"])))}

    def _volume(self, obj: Json) -> Json:
        spec, labels = obj["spec"], labels_of(obj)
        size = int(spec.get("size") or 0)
        target = spec.get("backupTargetName") or "default"
        mode = "rwo"
        if url := spec.get("fromBackup", ""):
            name, volume = of_url(url)
            if not volume:
                raise DeniedError(f"cannot get backup and volume name from backup URL {url}: invalid volume name parsed, got ")
            backup = self._objects.one("Backup", name)
            if backup is None:
                # Which of the two is said hangs on whether somebody wrote an access mode.
                first = "cannot get" if spec.get("accessMode") else "failed to get"
                raise DeniedError(f'{first} backup {name}: backup.longhorn.io "{name}" not found')
            said = status_of(backup)
            mode = (said.get("labels") or {}).get(ACCESS, mode)
            target = said.get("backupTargetName") or ""
            kept = self._kept(target, volume)
            if kept is None:
                what = f"cannot get backup volume for backup target {target} and volume {volume}"
                raise DeniedError(f'{what}: backupVolumes "" not found')
            size = int(status_of(kept).get("size") or said.get("volumeSize") or 0)
            labels[OF_VOLUME] = volume
            target = target or "default"
        labels[OF_TARGET] = target
        usual = {"numberOfReplicas": 3, "dataLocality": "disabled", "accessMode": mode, "dataEngine": "v1"}
        spec = {**usual, "backupCompressionMethod": "lz4", **{key: value for key, value in spec.items() if value != ""}}
        spec |= {"size": str(rounded(size)), "backupTargetName": target, "image": self._image}
        return {**obj, "spec": spec, "metadata": {**obj["metadata"], "labels": labels}}

    def _kept(self, target: str, volume: str) -> Json | None:
        """The BackupVolume of a volume (datastore/longhorn.go, GetBackupVolumeByBackupTargetAndVolumeRO)."""
        wanted = {OF_TARGET: target, OF_VOLUME: volume}
        found = self._objects.all("BackupVolume").values()
        return next((one for one in found if wanted.items() <= labels_of(one).items()), None)

    def _backup(self, obj: Json) -> Json:
        spec, labels = obj["spec"], labels_of(obj)
        if OF_VOLUME not in labels:
            if not spec.get("snapshotName"):
                raise DeniedError(f"cannot find the backup volume label for backup {obj['metadata']['name']}")
            snapshot = self._objects.one("Snapshot", spec["snapshotName"])
            if snapshot is None:
                raise DeniedError(f"failed to get the snapshot {spec['snapshotName']}")
            labels[OF_VOLUME] = snapshot["spec"]["volume"]
        volume = self._objects.one("Volume", labels[OF_VOLUME])
        usual = {ACCESS: volume["spec"].get("accessMode", "rwo") if volume else "rwo"}
        spec = {**spec, "labels": {**usual, **(spec.get("labels") or {})}, "backupMode": spec.get("backupMode") or "incremental"}
        if OF_TARGET not in labels:
            if volume is None:
                raise DeniedError(f"failed to get the volume {labels[OF_VOLUME]} of backup {obj['metadata']['name']}")
            labels[OF_TARGET] = volume["spec"]["backupTargetName"]
        return {**obj, "spec": spec, "metadata": {**obj["metadata"], "labels": labels}}

    def _snapshot(self, obj: Json) -> Json:
        name = obj["spec"].get("volume", "")
        volume = self._objects.one("Volume", name)
        if volume is None:
            raise DeniedError(f'failed to get volume {name}: volume.longhorn.io "{name}" not found')
        owners = obj["metadata"].get("ownerReferences") or [reference(volume)]
        labels = {**labels_of(obj), "longhornvolume": name}
        return {**obj, "metadata": {**obj["metadata"], "labels": labels, "ownerReferences": owners}}

    def refusal(self, request: Json) -> str | None:
        """Why it is refused; None where it is admitted."""
        judge = {"volumes": self._of_volume, "backups": self._of_backup, "backuptargets": self._of_target}
        old, new = request.get("oldObject") or {}, request.get("object") or {}
        return next(judge[request["resource"]["resource"]](request["operation"], old, new), None)

    def _of_volume(self, operation: str, old: Json, new: Json) -> Iterator[str]:
        if operation == "DELETE":
            return  # also where it is attached
        spec, name = new["spec"], new["metadata"]["name"]
        if operation == "CREATE" and not spec.get("Standby") and spec.get("frontend") not in _FRONTENDS:
            engine = spec.get("dataEngine")
            yield f"invalid volume frontend specified: {spec.get('frontend', '')} for data engine {engine} "
        target = spec.get("backupTargetName", "")
        if target != (old.get("spec") or {}).get("backupTargetName") and self._objects.one("BackupTarget", target) is None:
            yield f'failed to get backup target {target}: backuptarget.longhorn.io "{target}" not found'
        if operation == "UPDATE":
            yield from self._expanded(name, old, new)
            if old["spec"].get("dataEngine") != spec.get("dataEngine"):
                yield f"changing data engine for volume {name} is not supported"

    def _expanded(self, name: str, old: Json, new: Json) -> Iterator[str]:
        was, wanted = int(old["spec"]["size"]), int(new["spec"]["size"])
        if wanted < was and not status_of(new).get("expansionRequired"):
            yield f"shrinking volume {name} size from {was} to {wanted} is not supported"
        if wanted == was:
            return
        if problem := not_ready(old, expands=True):
            yield f"volume {name} is not ready: {problem}"

    def _of_backup(self, operation: str, old: Json, new: Json) -> Iterator[str]:
        del old
        if operation != "CREATE":
            return
        labels, spec = labels_of(new), new["spec"]
        target = self._objects.one("BackupTarget", labels[OF_TARGET])
        if target is None:
            yield f'failed to get backup target {labels[OF_TARGET]}: backuptarget.longhorn.io "{labels[OF_TARGET]}" not found'
        elif not target["spec"].get("backupTargetURL") or not status_of(target).get("available"):
            yield f"backup target {labels[OF_TARGET]} is not available"
        if name := spec.get("snapshotName"):
            snapshot = self._objects.one("Snapshot", name)
            of = snapshot["spec"]["volume"] if snapshot else ""
            volume = self._objects.one("Volume", of)
            if volume is None:
                yield f"snapshot {name} is invalid"
            elif labels[OF_VOLUME] != of:
                yield f"snapshot volume name {of} and label volume name {labels[OF_VOLUME]} does not match"
            elif volume["spec"]["backupTargetName"] != labels[OF_TARGET]:
                own = volume["spec"]["backupTargetName"]
                yield f"volume backup target {own} and label backup target {labels[OF_TARGET]} does not match"

    def _of_target(self, operation: str, old: Json, new: Json) -> Iterator[str]:
        if operation == "DELETE":
            if old["metadata"]["name"] == "default":
                yield "deleting default backup target is not allowed"
            return
        spec, had = new["spec"], old.get("spec") or {}
        url = spec.get("backupTargetURL", "")
        if found := [letter for letter in urlsplit(url).path if letter in "$,"]:
            yield f"url {url}, contains {' or '.join(found)}"
        if spec.get("credentialSecret", "") != had.get("credentialSecret", ""):
            yield from self._of_credentials(spec["credentialSecret"])

    def _of_credentials(self, name: str) -> Iterator[str]:
        secret = self._objects.api.get("v1", "Secret", name, SPACE) if name else None
        for key, value in ((secret or {}).get("data") or {}).items():
            text = base64.b64decode(value).decode()
            if text != text.strip():
                side, what = ("leading", text[0]) if text[:1].isspace() else ("trailing", text[-1])
                yield f"credential validation error(s): invalid {side} {'newline' if what == chr(10) else 'whitespace'} in {key}"


def not_ready(volume: Json, *, expands: bool = False) -> str:
    """Why a volume is not ready for workloads; empty where it is (types/volumes.go, IsVolumeReady)."""
    status = status_of(volume)
    if not volume["spec"].get("nodeID") and status.get("state") != "detached":
        return f"waiting for the volume to fully detach. current state: {status.get('state', '')}"
    if status.get("robustness") == "faulted":
        return "volume is faulted"
    if status.get("restoreRequired"):
        return "cannot expand size: volume is restoring data from backup" if expands else "volume requires restoration"
    return ""
