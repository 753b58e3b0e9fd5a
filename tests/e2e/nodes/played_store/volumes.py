"""Longhorn's volumes: attached and detached, restored, grown, and what is said of them.

Sources: controller/volume_controller.go (reconcileVolume, checkAndInitVolumeRestore, checkAndFinishVolumeRestore,
closeVolumeDependentResources, ReconcileBackupVolumeState, syncPVCRecurringJobLabels), datastore/longhorn.go (FixupRecurringJob),
controller/recurring_job_controller.go, controller/volume_restore_controller.go, controller/engine_controller.go.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.e2e.cluster.api import Json

from .archives import Archives, of_url
from .kubernetes import Seen, kubernetes_status
from .objects import OF_TARGET, OF_VOLUME, Objects, is_going, labels_of, now, status_of, with_condition
from .store import StoreError

_JOB, _GROUP = "recurring-job.longhorn.io/", "recurring-job-group.longhorn.io/"
_SOURCE = f"{_JOB}source"
_HALF, _WHOLE = 50, 100
_FAULTED = "All replica restore failed and the volume became Faulted"


class Volumes:
    """What the volumes' controllers do.

    `wanted`: by volume, the machine that a workload has it on. `holding`: whether restores stop half way, until this is False.
    """

    def __init__(self, objects: Objects, folder: Path, archives: Callable[[str], Archives]) -> None:
        self._objects = objects
        self._folder = folder
        self._archives = archives
        self.wanted: dict[str, str] = {}
        self.holding = False

    def place(self, name: str) -> Path:
        """The folder with a volume's data."""
        return self._folder / name

    def look(self, seen: Seen) -> None:
        """Bring all to what is asked."""
        engines = self._objects.all("Engine")
        kept = self._objects.all("BackupVolume")
        for name, volume in self._objects.all("Volume").items():
            if is_going(volume):
                self._remove(name, volume)
            elif f"{name}-e-0" not in engines:
                self._begin(name, volume, seen)
            else:
                self._reconcile(name, volume, engines[f"{name}-e-0"], seen, kept)

    def _begin(self, name: str, volume: Json, seen: Seen) -> None:
        if not self.place(name).exists():
            self.place(name).mkdir(parents=True)
        spec, labels = volume["spec"], {"longhornvolume": name}
        shared = {"volumeName": name, "volumeSize": spec["size"], "dataEngine": "v1", "image": spec["image"]}
        whole = {"nodeID": seen.machine, "healthyAt": now(), "failedAt": ""}
        for replica in (one for one in self._objects.all("Replica").values() if labels_of(one).get("longhornvolume") == name):
            self._objects.delete(replica)
        self._objects.make("Replica", f"{name}-r-0", {**shared, **whole}, labels=labels, owner=volume)
        engine = {**shared, "active": True, "frontend": spec.get("frontend", ""), "desireState": "stopped"}
        made = self._objects.make("Engine", f"{name}-e-0", engine, labels=labels, owner=volume)
        self._objects.say(made, currentState="stopped", currentSize=spec["size"], restoreStatus={}, lastRestoredBackup="")
        self._objects.say(
            volume,
            ownerID=seen.machine,
            state="creating",
            robustness="unknown",
            currentImage=spec["image"],
            currentNodeID="",
            actualSize=0,
            expansionRequired=False,
            restoreRequired=False,
            restoreInitiated=False,
            isStandby=False,
            lastBackup="",
            lastBackupAt="",
            conditions=with_condition([], "Scheduled", "True"),
        )

    def _reconcile(self, name: str, volume: Json, engine: Json, seen: Seen, kept: Mapping[str, Json]) -> None:
        if volume["spec"].get("fromBackup") and not status_of(volume).get("restoreInitiated"):
            self._begin_restore(volume)
        restoring = bool(status_of(volume).get("restoreRequired")) and status_of(volume).get("robustness") != "faulted"
        if restoring and engine["status"].get("currentState") == "running":
            self._restore(name, volume, engine)
        elif restoring:
            backup, _ = of_url(volume["spec"]["fromBackup"])
            self._objects.change(engine, {"spec": {"requestedBackupRestore": backup}})
            conditions = with_condition(volume["status"]["conditions"], "Restore", "True", "RestoreInProgress")
            self._objects.say(volume, conditions=conditions)
        self._attach(name, volume, engine, seen)
        self._objects.say(engine, currentSize=volume["spec"]["size"])
        self._tell(name, volume, seen, kept)
        self._schedule(volume, seen)

    def _attach(self, name: str, volume: Json, engine: Json, seen: Seen) -> None:
        """Whoever wants it has it: a workload, or its own restore."""
        status = volume["status"]
        needs = status.get("restoreRequired") and status.get("robustness") != "faulted"
        machine = self.wanted.get(name) or (seen.machine if needs else "")
        if (volume["spec"].get("nodeID") or "") != machine:
            volume["spec"]["nodeID"] = machine
            self._objects.change(volume, {"spec": {"nodeID": machine}})
        if machine:
            self._objects.say(engine, currentState="running")
            self._objects.say(volume, state="attached", robustness="healthy", currentNodeID=machine)
        else:
            faulted = status.get("robustness") == "faulted"
            self._objects.say(engine, currentState="stopped")
            robustness = "faulted" if faulted else "unknown"
            self._objects.say(volume, state="detached", robustness=robustness, currentNodeID="", **_closed(status, failed=faulted))

    def _begin_restore(self, volume: Json) -> None:
        name, _ = of_url(volume["spec"]["fromBackup"])
        backup = self._objects.one("Backup", name)
        if backup is None:
            return  # the real one tries again, too
        said = status_of(backup)
        had = json.loads((said.get("labels") or {}).get("KubernetesStatus", "{}"))
        at = said.get("snapshotCreatedAt", "")
        if had.get("pvcName") and not had.get("lastPVCRefAt"):
            had["lastPVCRefAt"] = at
        if had.get("workloadsStatus") and not had.get("lastPodRefAt"):
            had["lastPodRefAt"] = at
        had |= {"pvName": "", "pvStatus": ""}
        size = int(said.get("size") or 0)
        self._objects.say(volume, actualSize=size, kubernetesStatus=had, restoreRequired=True, restoreInitiated=True)

    def _restore(self, name: str, volume: Json, engine: Json) -> None:
        url = volume["spec"]["fromBackup"]
        backup, of = of_url(url)
        status = engine["status"]
        if status.get("lastRestoredBackup") == backup:
            self._objects.say(volume, restoreRequired=False)
            return
        progress = {"isRestoring": True, "currentRestoringBackup": backup, "backupURL": url, "state": "in_progress"}
        replica = f"tcp://{name}-r-0:10000"
        if not status.get("restoreStatus") or self.holding:
            self._objects.say(engine, restoreStatus={replica: {**progress, "progress": _HALF}})
            return
        try:
            self._archives(volume["spec"]["backupTargetName"]).restore(of, backup, self.place(name))
        except StoreError as problem:
            said = {**progress, "isRestoring": False, "state": "error", "error": str(problem)}
            self._objects.say(engine, restoreStatus={replica: said})
            message = f"replica {name}-r-0 failed the restore: {problem}"
            self._objects.event(volume, "FailedRestore", message, source="longhorn-volume-controller")
            self._objects.say(volume, robustness="faulted")
            return
        ended = {**progress, "isRestoring": False, "state": "complete", "progress": _WHOLE, "lastRestored": backup}
        self._objects.say(engine, restoreStatus={replica: ended}, lastRestoredBackup=backup)

    def _tell(self, name: str, volume: Json, seen: Seen, kept: Mapping[str, Json]) -> None:
        self._objects.say(volume, kubernetesStatus=kubernetes_status(name, status_of(volume).get("kubernetesStatus") or {}, seen))
        status = status_of(volume)
        of = labels_of(volume).get(OF_VOLUME, "") if status.get("restoreRequired") else name
        target = volume["spec"].get("backupTargetName")
        backups = next(
            (
                one
                for one in kept.values()
                if (labels_of(one).get(OF_VOLUME), labels_of(one).get(OF_TARGET)) == (of, target) and not is_going(one)
            ),
            None,
        )
        said = status_of(backups)
        self._objects.say(volume, lastBackup=said.get("lastBackupName", ""), lastBackupAt=said.get("lastBackupAt", ""))
        if not status.get("restoreRequired"):
            self._objects.say(volume, actualSize=_used(self.place(name)))

    def _schedule(self, volume: Json, seen: Seen) -> None:
        """Its recurring jobs: those of its claim, where that says so, and the default group where there are none at all."""
        labels = labels_of(volume)
        jobs = {key: value for key, value in labels.items() if _is_job(key)}
        of = status_of(volume).get("kubernetesStatus") or {}
        now_ = of.get("pvcName") and not of.get("lastPVCRefAt")
        claim = seen.claims.get((of.get("namespace", ""), of.get("pvcName", ""))) if now_ else None
        wanted = jobs
        if claim and labels_of(claim).get(_SOURCE) == "enabled":
            wanted = {key: value for key, value in labels_of(claim).items() if _is_job(key)}
        wanted = wanted or {f"{_GROUP}default": "enabled"}
        change = {key: wanted.get(key) for key in {*jobs, *wanted} if jobs.get(key) != wanted.get(key)}
        if change:
            self._objects.change(volume, {"metadata": {"labels": change}})

    def _remove(self, name: str, volume: Json) -> None:
        """Its replicas go, whoever uses it; its snapshots, too."""
        shutil.rmtree(self.place(name), ignore_errors=True)
        for snapshot in self._objects.all("Snapshot").values():
            if snapshot["spec"]["volume"] == name and not is_going(snapshot):
                self._objects.delete(snapshot)
        self._objects.let_go(volume)


def _closed(status: Json, *, failed: bool) -> Json:
    reason, message = ("RestoreFailure", _FAULTED) if failed and status.get("restoreRequired") else ("", "")
    return {"conditions": with_condition(status.get("conditions") or [], "Restore", "False", reason, message)}


def _is_job(key: str) -> bool:
    return key != _SOURCE and key.startswith((_JOB, _GROUP))


def _used(folder: Path) -> int:
    done = subprocess.run(["du", "-s", "-B1", folder], capture_output=True, text=True, check=False)
    return int(done.stdout.split()[0]) if done.stdout else 0
