"""Longhorn's part in `./run verify --deep`, played by objects of its kinds: copies that are made again, snapshots, backups.

What each object says is what longhorn-manager's types have for it; the data of a volume, and of a backup, are folders of the tests.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from tests.e2e.cluster.api import Api, Json

SPACE, VERSION = "longhorn-system", "longhorn.io/v1beta2"
CLASS, DRIVER = "longhorn", "driver.longhorn.io"
PLAYED = "Longhorn's controllers, for copies, snapshots and backups"
_KINDS = {
    "Volume": "volumes",
    "Replica": "replicas",
    "Snapshot": "snapshots",
    "Backup": "backups",
    "BackupTarget": "backuptargets",
    "BackupVolume": "backupvolumes",
}


class Longhorn:
    """A class with two copies, and a target for backups. `rebuilds`, `backs_up`, `keeps`: whether it does what is asked of it."""

    def __init__(self, api: Api, shared: Path) -> None:
        self._api = api
        self._shared = shared
        self._numbers = itertools.count(1)
        self.rebuilds = self.backs_up = self.keeps = True
        for kind, plural in _KINDS.items():
            api.apply(_definition(kind, plural))
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
        manager = {"name": "longhorn-manager-1", "namespace": SPACE, "labels": {"app": "longhorn-manager"}}
        container = {"name": "longhorn-manager", "image": "example.test/none:1"}
        nowhere = {"nodeSelector": {"played": "by-the-tests"}, "containers": [container]}
        api.create({"apiVersion": "v1", "kind": "Pod", "metadata": manager, "spec": nowhere})
        place = {"name": "default", "namespace": SPACE}
        self._create("BackupTarget", place, {"backupTargetURL": "nfs://example.test:/backups"}, {"available": True})

    def _create(self, kind: str, metadata: Json, spec: Json, status: Json) -> None:
        self._api.create({"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec, "status": status})

    def _set(self, kind: str, name: str, status: Json) -> None:
        self._api.patch(VERSION, kind, name, {"status": status}, namespace=SPACE)

    def look(self) -> None:
        """Bring all to what is asked."""
        bound = {one["metadata"]["name"] for one in self._api.list("v1", "PersistentVolume") if _is_ours(one)}
        volumes = {one["metadata"]["name"]: one for one in self._api.list(VERSION, "Volume")}
        for name in bound - volumes.keys():
            self._create("Volume", {"name": name, "namespace": SPACE}, {"numberOfReplicas": 2, "backupTargetName": "default"}, {})
        for name in volumes.keys() - bound:
            self._api.delete(VERSION, "Volume", name, SPACE)
            for kind in ("Snapshot", "Replica"):  # which are its own, by their owner references
                for one in self._api.list(VERSION, kind):
                    if name in {one["spec"].get("volume"), one["metadata"].get("labels", {}).get("longhornvolume")}:
                        self._api.delete(VERSION, kind, one["metadata"]["name"], SPACE)
        for name in volumes.keys() & bound:
            self._copies(name)
        for one in self._api.list(VERSION, "Snapshot"):
            if not one.get("status"):
                self._set("Snapshot", one["metadata"]["name"], {"readyToUse": True})
        self._backups()

    def _copies(self, volume: str) -> None:
        there = [one for one in self._api.list(VERSION, "Replica") if one["metadata"]["labels"]["longhornvolume"] == volume]
        if len(there) < 2 and self.rebuilds:
            metadata: Json = {"name": f"{volume}-r-{next(self._numbers)}", "namespace": SPACE, "labels": {"longhornvolume": volume}}
            self._create("Replica", metadata, {"healthyAt": "2026-01-01T00:00:00Z", "failedAt": ""}, {})
        self._set("Volume", volume, {"state": "attached", "robustness": "healthy" if len(there) >= 2 else "degraded"})

    def _backups(self) -> None:
        known = {one["metadata"]["name"] for one in self._api.list(VERSION, "Backup")}
        for one in self._api.list(VERSION, "Backup"):
            if one.get("status") or not self.backs_up:
                continue
            name, volume = one["metadata"]["name"], one["metadata"]["labels"]["backup-volume"]
            if self.keeps:
                shutil.copytree(self._shared / volume, self._shared / f"backup-of-{name}")
            else:
                (self._shared / f"backup-of-{name}").mkdir()
            (self._shared / f"backup-of-{name}").chmod(0o777)
            self._create("BackupVolume", {"name": f"{volume}-kept", "namespace": SPACE}, {"volumeName": volume}, {})
            url = f"nfs://example.test:/backups?backup={name}&volume={volume}"
            self._set("Backup", name, {"state": "Completed", "progress": 100, "url": url})
        for folder in self._shared.glob("backup-of-*"):
            if folder.name.removeprefix("backup-of-") not in known:
                shutil.rmtree(folder)

    def restored_from(self, parameters: Json) -> Path | None:
        """The data that a volume of a class begins with."""
        url = parameters.get("fromBackup", "")
        return self._shared / f"backup-of-{url.partition('backup=')[2].partition('&')[0]}" if url else None

    @property
    def left(self) -> list[str]:
        """What somebody has left of it."""
        kinds = ("Snapshot", "Backup", "BackupVolume")
        return [f"{kind} {one['metadata']['name']}" for kind in kinds for one in self._api.list(VERSION, kind)]


def _is_ours(volume: Json) -> bool:
    annotations = volume["metadata"].get("annotations", {})
    return bool(annotations.get("pv.kubernetes.io/provisioned-by") == DRIVER and not volume["metadata"].get("deletionTimestamp"))


def _definition(kind: str, plural: str) -> Json:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1beta2", "served": True, "storage": True, "schema": {"openAPIV3Schema": free}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.longhorn.io"},
        "spec": {
            "group": "longhorn.io",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [version],
        },
    }
