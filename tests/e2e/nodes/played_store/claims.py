"""What stands between Kubernetes' claims and Longhorn's volumes: its driver's provisioner, resizer and attacher.

Sources: csi/{controller_server,util}.go; kubernetes-csi's external-provisioner, -resizer and -attacher, for what is theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from tests.e2e.cluster.api import Api, Json, RefusedError

from .kubernetes import Seen, handle_of
from .objects import DRIVER, Objects, gone_is_well, is_going, now, status_of
from .rules import not_ready
from .sizes import LEAST, bytes_of, rounded
from .volumes import Volumes

_BY = "pv.kubernetes.io/provisioned-by"
_SELECTED = "volume.kubernetes.io/selected-node"
_KEYS = ("fromBackup", "backupTargetName", "dataLocality")
_AGAIN = 5
"""Seconds after which what failed is tried once more."""


class Claims:
    """What the three do."""

    def __init__(self, objects: Objects, volumes: Volumes) -> None:
        self._objects = objects
        self._api: Api = objects.api
        self._volumes = volumes
        self._begun: dict[str, int] = {}
        self._failed: dict[str, float] = {}

    def look(self, seen: Seen) -> None:
        """Bring all to what is asked."""
        classes = {one["metadata"]["name"]: one for one in self._api.list("storage.k8s.io/v1", "StorageClass")}
        for claim in seen.claims.values():
            of_class = classes.get(claim["spec"].get("storageClassName", ""))
            name = f"pvc-{claim['metadata']['uid']}"
            if of_class and of_class["provisioner"] == DRIVER and not claim["spec"].get("volumeName") and not is_going(claim):
                self._try(claim, "ProvisioningFailed", partial(self._provide, claim, of_class, name, seen))
            elif status_of(claim).get("phase") == "Bound":
                self._try(claim, "VolumeResizeFailed", partial(self._grow, claim, seen))
        for volume in seen.volumes.values():
            self._delete(volume)
        self._attach(seen)

    def _try(self, claim: Json, reason: str, act: Callable[[], None]) -> None:
        key = f"{reason} {claim['metadata']['uid']}"
        if time.monotonic() < self._failed.get(key, 0):
            return
        try:
            act()
        except RefusedError as refused:
            self._failed[key] = time.monotonic() + _AGAIN
            of = claim["spec"].get("storageClassName", "")
            what = (
                f'failed to provision volume with StorageClass "{of}"' if reason == "ProvisioningFailed" else "resize volume failed"
            )
            said = str(refused).partition(": ")[2]
            self._objects.event(claim, reason, f"{what}: rpc error: code = Internal desc = {said}")

    def _provide(self, claim: Json, of_class: Json, name: str, seen: Seen) -> None:
        waits = of_class.get("volumeBindingMode") == "WaitForFirstConsumer"
        if name in seen.volumes or (waits and _SELECTED not in (claim["metadata"].get("annotations") or {})):
            return
        asked = rounded(max(LEAST, bytes_of(claim["spec"]["resources"]["requests"]["storage"])))
        volume = self._objects.one("Volume", name)
        parameters = of_class.get("parameters") or {}
        if volume is None:
            modes = claim["spec"]["accessModes"]
            spec: Json = {"size": str(asked), "frontend": "blockdev", "accessMode": "rwx" if "ReadWriteMany" in modes else "rwo"}
            spec |= {key: parameters[key] for key in _KEYS if key in parameters}
            if "numberOfReplicas" in parameters:
                spec["numberOfReplicas"] = int(parameters["numberOfReplicas"])
            self._objects.make("Volume", name, spec)
            self._begun[name] = asked
        elif status_of(volume).get("state") not in {None, "", "creating"}:
            # Whoever began to make it answers with what was asked, however large the backup is that it is from.
            size = int(volume["spec"]["size"])
            if self._begun.get(name) != asked and size != asked:
                raise RefusedError(409, f"volume {name} size {size} differs from requested size {asked}")
            self._api.create(_bound(claim, of_class, name, asked))

    def _grow(self, claim: Json, seen: Seen) -> None:
        bound = seen.volumes.get(claim["spec"]["volumeName"])
        asked = claim["spec"]["resources"]["requests"]["storage"]
        had = status_of(claim).get("capacity", {}).get("storage", "0")
        if bound is None or not handle_of(bound) or bytes_of(asked) <= bytes_of(had):
            return
        volume = self._objects.one("Volume", handle_of(bound))
        if volume is None:
            raise RefusedError(404, f"volume {handle_of(bound)} missing")
        size = rounded(bytes_of(asked))
        if int(volume["spec"]["size"]) < size:
            self._objects.change(volume, {"spec": {"size": str(size)}})
        self._api.patch("v1", "PersistentVolume", bound["metadata"]["name"], {"spec": {"capacity": {"storage": asked}}})
        change: Json = {"status": {"capacity": {"storage": asked}}}
        place = claim["metadata"]
        self._api.patch("v1", "PersistentVolumeClaim", place["name"], change, namespace=place["namespace"], part="/status")

    def _delete(self, bound: Json) -> None:
        """Only what the provisioner made: of others Kubernetes says that nobody can delete them."""
        annotations = bound["metadata"].get("annotations") or {}
        released = status_of(bound).get("phase") == "Released" and bound["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
        if not released or annotations.get(_BY) != DRIVER or is_going(bound):
            return
        volume = self._objects.one("Volume", handle_of(bound))
        if volume is None:
            with gone_is_well():
                self._api.delete("v1", "PersistentVolume", bound["metadata"]["name"])
        elif not is_going(volume):
            self._objects.delete(volume)

    def _attach(self, seen: Seen) -> None:
        wanted: dict[str, str] = {}
        for attachment in sorted(seen.attachments, key=lambda one: not status_of(one).get("attached")):
            bound = seen.volumes.get(attachment["spec"]["source"].get("persistentVolumeName", ""))
            machine, handle = attachment["spec"]["nodeName"], handle_of(bound) if bound else ""
            if is_going(attachment) or not handle:
                continue
            if status_of(attachment).get("attached"):
                wanted[handle] = machine
                continue
            problem = self._problem(handle, machine, wanted)
            if not problem:
                wanted[handle] = machine
            self._answer(attachment, problem)
        self._volumes.wanted = wanted

    def _problem(self, handle: str, machine: str, wanted: dict[str, str]) -> str:
        """Why a volume is not attached (ControllerPublishVolume)."""
        volume = self._objects.one("Volume", handle)
        if volume is None:
            return f"rpc error: code = NotFound desc = volume {handle} not found"
        if volume["spec"].get("frontend") != "blockdev":
            frontend = volume["spec"].get("frontend", "")
            return f"rpc error: code = InvalidArgument desc = volume {handle} invalid frontend type {frontend}"
        if why := not_ready(volume):
            return f"rpc error: code = Aborted desc = volume {handle} is not ready for workloads: {why}"
        if wanted.get(handle, machine) != machine:
            where = f"the volume is currently attached to different node {wanted[handle]}"
            return f"rpc error: code = Internal desc = volume {handle} failed to attach to node {machine}: {where}"
        return ""

    def _answer(self, attachment: Json, problem: str) -> None:
        said = status_of(attachment)
        if problem and said.get("attachError", {}).get("message") == problem:
            return
        status = {"attached": not problem, "attachError": {"message": problem, "time": now()} if problem else None}
        with gone_is_well():
            name = attachment["metadata"]["name"]
            self._api.patch("storage.k8s.io/v1", "VolumeAttachment", name, {"status": status}, part="/status")


def _bound(claim: Json, of_class: Json, name: str, size: int) -> Json:
    """The PersistentVolume of a claim, as the provisioner makes it."""
    place = claim["metadata"]
    claimed = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    parameters = of_class.get("parameters") or {}
    csi = {
        "driver": DRIVER,
        "fsType": parameters.get("csi.storage.k8s.io/fstype") or parameters.get("fsType") or "ext4",
        "volumeHandle": name,
        "volumeAttributes": {key: str(value) for key, value in parameters.items()},
    }
    spec = {
        "capacity": {"storage": str(size)},
        "accessModes": claim["spec"]["accessModes"],
        "persistentVolumeReclaimPolicy": of_class.get("reclaimPolicy", "Delete"),
        "storageClassName": of_class["metadata"]["name"],
        "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
        "claimRef": {**claimed, "namespace": place["namespace"], "name": place["name"], "uid": place["uid"]},
        "csi": csi,
    }
    metadata = {"name": name, "annotations": {_BY: DRIVER}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}
