"""Longhorn's snapshots and backups: made, told of, and removed.

Sources: controller/{backup,snapshot}_controller.go, engineapi/backup_monitor.go, longhorn/backupstore: inspect.go.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.cluster.api import Json

from .archives import Archives, backup_url
from .objects import OF_TARGET, OF_VOLUME, Objects, is_going, labels_of, now, status_of
from .store import StoreError
from .targets import Targets, goes_there

_FINAL = {"Completed", "Error", "Unknown"}


class Backups:
    """What their controllers do. `failure`: what the next backups fail with, where it is not empty."""

    def __init__(self, objects: Objects, folder: Path, targets: Targets) -> None:
        self._objects = objects
        self._folder = folder
        self._frozen = folder / ".snapshots"
        self._targets = targets
        self.failure = ""

    def look(self) -> None:
        """Bring all to what is asked."""
        targets = self._objects.all("BackupTarget")
        for snapshot in self._objects.all("Snapshot").values():
            self._snapshot(snapshot)
        for backup in self._objects.all("Backup").values():
            self._backup(backup, targets.get(labels_of(backup).get(OF_TARGET, "")))

    def _snapshot(self, snapshot: Json) -> None:
        frozen = self._frozen / snapshot["metadata"]["name"]
        if is_going(snapshot):
            shutil.rmtree(frozen, ignore_errors=True)
            self._objects.let_go(snapshot)
        elif snapshot["spec"].get("createSnapshot") and not status_of(snapshot).get("creationTime"):
            self._frozen.mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", self._folder / snapshot["spec"]["volume"], frozen], check=True)
            volume = self._objects.one("Volume", snapshot["spec"]["volume"]) or {"spec": {"size": "0"}}
            whole = {"restoreSize": int(volume["spec"]["size"]), "userCreated": True, "markRemoved": False}
            labels = snapshot["spec"].get("labels") or {}
            self._objects.say(snapshot, creationTime=now(), readyToUse=True, labels=labels, error="", **whole)

    def _backup(self, backup: Json, target: Json | None) -> None:
        name, volume, status = backup["metadata"]["name"], labels_of(backup).get(OF_VOLUME, ""), status_of(backup)
        if is_going(backup):
            self._remove(backup, target)
            return
        if target is None or status.get("lastSyncedAt"):
            return
        if backup["spec"].get("snapshotName") and status.get("state") not in _FINAL:
            self._make(backup, target)
            return
        try:
            said = self._targets.of(target).of_backup(volume, name)
            of = self._targets.of(target).of_volume(volume)
        except StoreError:
            return
        if not said or not of:
            return
        labels = {key: value for key, value in said["Labels"].items() if key != "VolumeRecurringJobInfo"}
        self._objects.say(
            backup,
            state="Completed",
            progress=100,
            url=backup_url(target["spec"]["backupTargetURL"], volume, name),
            volumeName=said["VolumeName"],
            # As large as the volume was at its last backup, whichever this one is (backupstore: inspect.go, fillFullBackupInfo).
            volumeSize=of["Size"],
            volumeCreated=of["CreatedTime"],
            size=said["Size"],
            snapshotName=said["SnapshotName"],
            snapshotCreatedAt=said["SnapshotCreatedAt"],
            backupCreatedAt=said["CreatedTime"],
            labels=labels,
            compressionMethod=said["CompressionMethod"],
            backupTargetName=target["metadata"]["name"],
            lastSyncedAt=now(),
        )
        # Who listed it before asks again.
        owned = self._targets.owned("BackupVolume", target["metadata"]["name"])
        kept = next((one for one in owned if labels_of(one)[OF_VOLUME] == volume), None)
        if kept is None:
            self._targets.ask_again(target["metadata"]["name"])
        elif backup["spec"].get("snapshotName"):
            self._objects.say(kept, lastSyncedAt=None)

    def _make(self, backup: Json, target: Json) -> None:
        volume = labels_of(backup)[OF_VOLUME]
        of = self._objects.one("Volume", volume)
        snapshot = self._objects.one("Snapshot", backup["spec"]["snapshotName"])
        if of is None:
            missing = f'cannot find the corresponding volume: volume.longhorn.io "{volume}" not found'
            self._failed(backup, missing)
        elif snapshot is None or not status_of(snapshot).get("readyToUse"):
            info = f"Waiting for the snapshot {backup['spec']['snapshotName']} to be ready"
            self._objects.say(backup, state="Pending", messages={"info": info})
        elif self.failure:
            self._failed(backup, self.failure)
        elif status_of(backup).get("state") != "InProgress":
            self._objects.say(backup, state="InProgress", progress=0)
        else:
            try:
                self._keep(backup, of, snapshot, self._targets.of(target))
            except StoreError as problem:
                url = target["spec"]["backupTargetURL"]
                self._failed(backup, f"failed to create backup to {url} for volume {volume}: {problem}")
            else:
                self._objects.say(backup, state="Completed", progress=100)

    def _keep(self, backup: Json, volume: Json, snapshot: Json, archives: Archives) -> None:
        name, of, moment = backup["metadata"]["name"], volume["metadata"]["name"], now()
        shared = {"CreatedTime": moment, "CompressionMethod": "gzip"}
        kubernetes = status_of(volume).get("kubernetesStatus") or {}
        said_of = archives.of_volume(of) or {}
        claim = self._class_of(kubernetes)
        said = {
            **shared,
            "Name": of,
            "Size": volume["spec"]["size"],
            "Labels": backup["spec"]["labels"],
            "CreatedTime": said_of.get("CreatedTime") or volume["metadata"]["creationTimestamp"],
            "LastBackupName": name,
            "LastBackupAt": moment,
            "StorageClassName": claim,
        }
        rest = {
            **shared,
            "Name": name,
            "SnapshotName": snapshot["metadata"]["name"],
            "SnapshotCreatedAt": snapshot["status"]["creationTime"],
            "Labels": backup["spec"]["labels"],
        }
        archives.keep(said, rest, self._frozen / snapshot["metadata"]["name"])

    def _class_of(self, kubernetes: Mapping[str, str]) -> str:
        if not kubernetes.get("pvcName") or kubernetes.get("lastPVCRefAt"):
            return ""
        claim = self._objects.api.get("v1", "PersistentVolumeClaim", kubernetes["pvcName"], kubernetes["namespace"])
        return str((claim or {"spec": {}})["spec"].get("storageClassName", ""))

    def _failed(self, backup: Json, text: str) -> None:
        self._objects.say(backup, state="Error", error=text, lastSyncedAt=now())

    def _remove(self, backup: Json, target: Json | None) -> None:
        name, volume = backup["metadata"]["name"], labels_of(backup).get(OF_VOLUME, "")
        kept = [one for one in self._objects.all("BackupVolume").values() if labels_of(one).get(OF_VOLUME) == volume]
        if kept and not is_going(kept[0]):
            if goes_there(backup, target):
                try:
                    self._targets.of(target).forget(volume, name)
                except StoreError:
                    return
            if status_of(kept[0]).get("lastBackupName") == name:
                self._objects.say(kept[0], lastSyncedAt=None)
        self._objects.let_go(backup)
