"""Longhorn's backup targets, and the lists of what is in their stores.

Sources: controller/{backup_target,backup_volume}_controller.go, engineapi/{backups,system_backup}.go, types/types.go
(GetBackupVolumeNameFromVolumeName), datastore/longhorn.go.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

from fluxstead.core.duration import Duration
from tests.e2e.cluster.api import Json

from .archives import Archives
from .objects import CR_ONLY, OF_TARGET, OF_VOLUME, SPACE, Objects, is_going, labels_of, now, reference, status_of, with_condition
from .rules import ACCESS
from .store import Bucket, StoreError

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_MANY_TARGETS = (1, 8, 0)
"""Since when there may be more than one, and a BackupVolume says whose it is."""
_RETRIES = 1
"""Seconds after which a target is asked again that did not answer."""


class Targets:
    """What their controllers do."""

    def __init__(self, objects: Objects, version: tuple[int, int, int]) -> None:
        self._objects = objects
        self._version = version
        self._asked: dict[str, tuple[Json, datetime]] = {}

    def look(self) -> None:
        """Bring all to what is asked."""
        targets = self._objects.all("BackupTarget")
        for target in targets.values():
            if self._is_due(target):
                self._sync(target)
        for kept in self._objects.all("BackupVolume").values():
            self._sync_volume(kept, targets.get(labels_of(kept)[OF_TARGET]))

    def ask_again(self, name: str) -> None:
        """List a target at the next look."""
        self._asked.pop(name, None)

    def archives(self, name: str) -> Archives:
        """What is in a target's store; StoreError where that cannot be asked."""
        target = self._objects.one("BackupTarget", name) or {"spec": {}}
        return Archives(self.bucket(target))

    def bucket(self, target: Json) -> Bucket:
        """What a target names, by the credentials in its Secret."""
        spec = target["spec"]
        if not spec.get("credentialSecret"):
            raise StoreError("could not access s3 without credential secret")
        secret = self._objects.api.get("v1", "Secret", spec["credentialSecret"], SPACE)
        if secret is None:
            raise _NoClientError(f'secret "{spec["credentialSecret"]}" not found')
        values = {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
        missing = [key for key in _KEYS if not values.get(key)]
        if missing:
            raise StoreError(f"could not backup to s3, missing [{' '.join(missing)}] in the secret")
        return Bucket(spec["backupTargetURL"], values)

    def _is_due(self, target: Json) -> bool:
        """At first, when it is asked for, when it is another one, and every so often."""
        name, spec, status = target["metadata"]["name"], target["spec"], status_of(target)
        said, at = self._asked.get(name, ({}, datetime.min.replace(tzinfo=UTC)))
        passed = (datetime.now(UTC) - at).total_seconds()
        every = Duration(spec["pollInterval"]).seconds if spec.get("pollInterval") else 0
        if said != spec:
            return True
        if not status.get("available") or not status.get("lastSyncedAt"):
            return passed > _RETRIES
        return bool(every) and passed > every

    def _sync(self, target: Json) -> None:
        name, url = target["metadata"]["name"], target["spec"].get("backupTargetURL", "")
        self._asked[name] = (target["spec"], datetime.now(UTC))
        if not url:
            self._unavailable(target, "backup target URL is empty")
            self._objects.say(target, lastSyncedAt=None)
            for kept in self.owned("BackupVolume", name):
                self._objects.delete(kept, only_here=True)
            return
        try:
            archives = Archives(self.bucket(target))
            archives.reachable()
        except _NoClientError:
            return  # the real one only writes it to its log
        except StoreError as problem:
            self._unavailable(target, f"failed to list system backups in {url}: {self._executed(url, problem)}")
            return
        if not status_of(target).get("available"):
            conditions = with_condition(status_of(target).get("conditions") or [], "Unavailable", "False")
            self._objects.say(target, available=True, conditions=conditions)
            self._asked.pop(name)  # what it has is listed at the next look
            return
        self._list(target, archives)

    def _list(self, target: Json, archives: Archives) -> None:
        name = target["metadata"]["name"]
        try:
            there = archives.volumes()
        except StoreError:
            return
        known = {labels_of(one)[OF_VOLUME]: one for one in self.owned("BackupVolume", name)}
        for volume in there:
            if volume not in known:
                labels = {OF_TARGET: name, OF_VOLUME: volume}
                named = {"backupTargetName": name, "volumeName": volume} if self._version >= _MANY_TARGETS else {}
                self._objects.make("BackupVolume", self._named(volume, name), named, labels=labels, owner=target)
            elif not is_going(known[volume]):
                self._objects.change(known[volume], {"spec": {"syncRequestedAt": now()}})
                self._objects.say(known[volume], lastSyncedAt=None)
        for volume in known.keys() - set(there):
            self._objects.delete(known[volume], only_here=True)
        self._objects.say(target, lastSyncedAt=now())

    def _named(self, volume: str, target: str) -> str:
        if self._version < _MANY_TARGETS:
            return volume
        return f"{volume}-{hashlib.sha256(f'{volume}-{target}'.encode()).hexdigest()[:8]}"

    def _executed(self, url: str, problem: StoreError) -> str:
        """What is known of a program that failed (longhorn/go-common-libs: exec/exec.go)."""
        if str(problem).startswith("could not"):
            return f"error listing system backup in {url}: {problem}"
        image = f"longhornio-longhorn-engine-v{'.'.join(map(str, self._version))}"
        binary = f"/var/lib/longhorn/engine-binaries/{image}/longhorn"
        log = f'level=error msg="Failed to list s3" error="{problem}" pkg=s3'
        words = f"failed to execute: {binary} [{binary} system-backup list {url}], output , stderr {log}\n: exit status 1"
        return f"error listing system backup in {url}: {words}"

    def _unavailable(self, target: Json, message: str) -> None:
        conditions = with_condition(status_of(target).get("conditions") or [], "Unavailable", "True", "Unavailable", message)
        self._objects.say(target, available=False, conditions=conditions)

    def owned(self, kind: str, name: str) -> list[Json]:
        """The objects of a kind that are a target's."""
        return [one for one in self._objects.all(kind).values() if labels_of(one).get(OF_TARGET) == name]

    def _sync_volume(self, kept: Json, target: Json | None) -> None:
        volume = labels_of(kept)[OF_VOLUME]
        try:
            if is_going(kept):
                if goes_there(kept, target):
                    self.of(target).forget_volume(volume)
                self._objects.let_go(kept)
                return
            if target is None or status_of(kept).get("lastSyncedAt"):
                return
            archives = self.of(target)
            there, said = set(archives.backups(volume)), archives.of_volume(volume)
        except StoreError:
            return
        known = {}
        for one in self.owned("Backup", target["metadata"]["name"]):
            unmade = one["spec"].get("snapshotName") and status_of(one).get("state") != "Completed"
            if labels_of(one).get(OF_VOLUME) == volume and not unmade:
                known[one["metadata"]["name"]] = one
        for name in there - self._objects.all("Backup").keys():  # one that is being made here is there, and not known yet
            labels = {OF_TARGET: target["metadata"]["name"], OF_VOLUME: volume}
            access = ((archives.of_backup(volume, name) or {}).get("Labels") or {}).get(ACCESS)
            self._objects.make("Backup", name, {"labels": {ACCESS: access} if access else {}}, labels=labels, owner=kept)
        for name in known.keys() - there:
            self._objects.delete(known[name], only_here=True)
        if said:
            self._tell(kept, said)

    def _tell(self, kept: Json, said: Json) -> None:
        """Write what the store says of a volume."""
        last = said["LastBackupName"]
        if status_of(kept).get("lastBackupName") != last:
            self._own(kept, self._objects.one("Backup", last))
        names = {"lastBackupName": "LastBackupName", "lastBackupAt": "LastBackupAt", "createdAt": "CreatedTime"}
        rest = {key: said[word] for key, word in names.items()}
        rest |= {"size": said["Size"], "labels": said["Labels"], "storageClassName": said.get("StorageClassName", "")}
        self._objects.say(kept, lastSyncedAt=now(), **rest)

    def _own(self, kept: Json, backup: Json | None) -> None:
        """A backup that was made here becomes its volume's, and goes with it, once it is the last one."""
        owners = backup["metadata"].get("ownerReferences") or [] if backup else []
        if backup and kept["metadata"]["uid"] not in {one["uid"] for one in owners}:
            self._objects.change(backup, {"metadata": {"ownerReferences": [*owners, reference(kept)]}})

    def of(self, target: Json | None) -> Archives:
        """What is in the store of this target; StoreError where it cannot be asked."""
        if target is None:
            raise StoreError("there is no such target")
        return Archives(self.bucket(target))


def goes_there(obj: Json, target: Json | None) -> bool:
    """Whether what the store has of it goes as well (controller/utils.go, checkIfRemoteDataCleanupIsNeeded)."""
    usable = target is not None and bool(target["spec"].get("backupTargetURL")) and bool(status_of(target).get("available"))
    return usable and CR_ONLY not in labels_of(obj)


class _NoClientError(StoreError):
    """The Secret is not there: nothing is asked, and nothing said."""
