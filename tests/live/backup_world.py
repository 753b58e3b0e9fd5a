"""Claims, volumes and backups for restores, played: what Kubernetes, Flux and Longhorn do with them, second by second.

It is a model of the tests' own. A volume's data is a word, which whoever writes to it changes; a volume that is deleted takes its
word along, as a disk does. Flux is the adversary: where it is not suspended, it makes what is missing, and scales as described.
"""

from __future__ import annotations

import json
from typing import Any

from fluxstead.live.flux import LAYERS
from fluxstead.live.pods import PODS
from fluxstead.live.resources import CLAIMS, CLASSES, DEPLOYMENTS, VOLUMES, Resource
from fluxstead.systems.longhorn.names import API, PROVISIONER
from fluxstead.systems.longhorn.resources import BACKUPS, LIVE, TARGETS
from tests.live.memory import Hours, Json, MemoryApi
from tests.live.world import condition

ENGINES = Resource(API, "engines")
HOME, SPACE = "longhorn-system", "web-prod"
GIB = 2**30
_LABELS = {"kustomize.toolkit.fluxcd.io/name": "web-prod", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
RESTORES = 12
"""Seconds that a restore takes."""


class Cluster:
    """One application with one claim, unless more are added, and a layer of Flux that applies both."""

    def __init__(self) -> None:
        self.api = MemoryApi()
        self.api.holds = self._is_in_use
        self.api.on_delete = self._deleted
        self.clock = Hours(self._pass)
        self.data: dict[str, str] = {}
        self.kept: dict[str, str] = {}
        self.lost: list[str] = []
        self.described: dict[str, Json] = {}
        self.replicas: dict[str, int] = {}
        self._restored_at: dict[str, float] = {}
        self._made = 0
        parameters = {"numberOfReplicas": "2", "staleReplicaTimeout": "30", "fsType": "ext4", "diskSelector": "ssd"}
        put = self.api.put
        put(
            CLASSES,
            {"metadata": {"name": "longhorn"}, "provisioner": PROVISIONER, "parameters": parameters, "reclaimPolicy": "Delete"},
        )
        put(
            TARGETS,
            {
                "metadata": {"name": "default", "namespace": HOME},
                "spec": {"backupTargetURL": "s3://b@r/"},
                "status": {"available": True, "lastSyncedAt": "2026-11-27T00:00:00Z"},
            },
        )
        put(LAYERS, {"metadata": {"name": "web-prod", "namespace": "flux-system"}, "spec": {"interval": "10m"}})

    def application(self, name: str = "web", size: str = "5Gi", replicas: int = 1) -> None:
        """Described, so that Flux makes it."""
        spec: Json = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "longhorn",
            "resources": {"requests": {"storage": size}},
        }
        metadata = {"name": name, "namespace": SPACE, "labels": dict(_LABELS), "annotations": {"app": "mine"}}
        self.described[name] = {"metadata": metadata, "spec": spec}
        self.replicas[name] = replicas
        self.wait(10)

    # What people see and do.

    def volume_of(self, claim: str) -> str:
        """The volume that it has; empty where it has none."""
        found = self.api.get(CLAIMS, claim, SPACE) or {}
        return str(found.get("spec", {}).get("volumeName", ""))

    def read(self, claim: str) -> str:
        """What its volume holds."""
        return self.data.get(self.volume_of(claim), "")

    def write(self, claim: str, text: str) -> None:
        """As the application does it."""
        if self.volume_of(claim):
            self.data[self.volume_of(claim)] = text

    def back_up(self, claim: str, size: int = 5 * GIB) -> str:
        """As a job of Longhorn's does it; the backup's name."""
        volume = self.volume_of(claim)
        self._made += 1
        name = f"backup-{self._made}"
        self.kept[name] = self.data[volume]
        status = {"namespace": SPACE, "pvcName": claim, "pvName": volume}
        made = {
            "state": "Completed",
            "url": f"s3://b@r/?backup={name}&volume={volume}",
            "volumeName": volume,
            "volumeSize": str(size),
            "backupTargetName": "default",
            "backupCreatedAt": f"2026-11-{self._made:02}T02:00:00Z",
            "labels": {"KubernetesStatus": json.dumps(status), "longhorn.io/volume-access-mode": "rwo"},
        }
        self.api.put(BACKUPS, {"metadata": {"name": name, "namespace": HOME}, "status": made})
        return name

    def grow(self, claim: str, size: str) -> None:
        """It is described larger, and the volume follows."""
        self.described[claim]["spec"]["resources"]["requests"]["storage"] = size
        found = self.api.objects[f"{CLAIMS.base}/{CLAIMS.plural}", SPACE, claim]
        found["spec"]["resources"]["requests"]["storage"] = size
        volume = self.volume_of(claim)
        self.api.objects[f"{VOLUMES.base}/{VOLUMES.plural}", "", volume]["spec"]["capacity"]["storage"] = size
        self.api.objects[f"{LIVE.base}/{LIVE.plural}", HOME, volume]["spec"]["size"] = str(_bytes(size))

    def lose(self, claim: str) -> None:
        """Somebody deletes it with its pod, and Flux makes another one."""
        for pod in self._pods(claim):
            self.api.drop(PODS, pod)
        self.api.drop(CLAIMS, self.api.objects[f"{CLAIMS.base}/{CLAIMS.plural}", SPACE, claim])
        self.wait(5)

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        for _ in range(int(seconds)):
            self.clock.sleep(1)

    @property
    def is_well(self) -> bool:
        """Whether what is described is there, runs, and is Flux's again."""
        layer = self.api.objects[f"{LAYERS.base}/{LAYERS.plural}", "flux-system", "web-prod"]
        return not layer["spec"].get("suspend") and all(
            bool(self.volume_of(name)) and (not self.replicas[name] or bool(self._pods(name))) for name in self.described
        )

    # What the controllers do.

    def _all(self, resource: Resource) -> list[Json]:
        kind = f"{resource.base}/{resource.plural}"
        return [obj for (of, _, _), obj in list(self.api.objects.items()) if of == kind]

    def _pods(self, claim: str) -> list[Json]:
        return [one for one in self._all(PODS) if one["metadata"].get("labels", {}).get("app") == claim]

    def _is_in_use(self, resource: Resource, obj: Json) -> bool:
        return resource == CLAIMS and any(_uses(one, obj["metadata"]["name"]) for one in self._all(PODS))

    def _deleted(self, resource: Resource, obj: Json) -> None:
        if resource == CLAIMS:
            self._release(obj["spec"].get("volumeName", ""))

    def _release(self, name: str) -> None:
        volume = self.api.objects.get((f"{VOLUMES.base}/{VOLUMES.plural}", "", name))
        if volume is None:
            return
        volume["status"] = {"phase": "Released"}
        if volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
            self.lost.append(self.data.pop(name, ""))
            del self.api.objects[f"{VOLUMES.base}/{VOLUMES.plural}", "", name]
            self.api.objects.pop((f"{LIVE.base}/{LIVE.plural}", HOME, name), None)

    def _pass(self, now: float) -> None:
        self._flux()
        for claim in self._all(CLAIMS):
            self._bind(claim)
        for deployment in self._all(DEPLOYMENTS):
            self._run(deployment)
        for pod in self._all(PODS):
            self._read(pod)
        for claim in self._all(CLAIMS):
            if claim["metadata"].get("deletionTimestamp") and not self._is_in_use(CLAIMS, claim):
                self.api.drop(CLAIMS, claim)
        for volume in self._all(LIVE):
            self._longhorn(volume, now)

    def _flux(self) -> None:
        layer = self.api.objects[f"{LAYERS.base}/{LAYERS.plural}", "flux-system", "web-prod"]
        if layer["spec"].get("suspend"):
            return
        for name, claim in self.described.items():
            if (f"{CLAIMS.base}/{CLAIMS.plural}", SPACE, name) not in self.api.objects:
                self.api.put(CLAIMS, claim)
            place = {"name": name, "namespace": SPACE, "labels": dict(_LABELS)}
            pod = {"spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]}}
            known = self.api.objects.get((f"{DEPLOYMENTS.base}/{DEPLOYMENTS.plural}", SPACE, name))
            if known is None or known["spec"]["replicas"] != self.replicas[name]:
                self.api.put(DEPLOYMENTS, {"metadata": place, "spec": {"replicas": self.replicas[name], "template": pod}})

    def _bind(self, claim: Json) -> None:
        place, spec = claim["metadata"], claim["spec"]
        if claim.get("status", {}).get("phase") == "Bound" or place.get("deletionTimestamp"):
            return
        for volume in self._all(VOLUMES):
            of = volume["spec"].get("claimRef", {})
            if spec.get("volumeName", volume["metadata"]["name"]) != volume["metadata"]["name"]:
                continue
            if (of.get("namespace"), of.get("name")) == (place["namespace"], place["name"]) and not of.get("uid"):
                large = _bytes(volume["spec"]["capacity"]["storage"]) >= _bytes(spec["resources"]["requests"]["storage"])
                if large:
                    of["uid"] = place["uid"]
                    spec["volumeName"], claim["status"] = volume["metadata"]["name"], {"phase": "Bound"}
                    volume["status"] = {"phase": "Bound"}
                return
        if not spec.get("volumeName"):
            self._provision(claim)

    def _provision(self, claim: Json) -> None:
        name = f"pvc-{claim['metadata']['uid']}"
        of = {"namespace": SPACE, "name": claim["metadata"]["name"], "uid": claim["metadata"]["uid"]}
        spec = {
            "capacity": dict(claim["spec"]["resources"]["requests"]),
            "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": of,
            "csi": {"driver": PROVISIONER, "volumeHandle": name},
        }
        self.api.put(VOLUMES, {"metadata": {"name": name}, "spec": spec, "status": {"phase": "Bound"}})
        size = str(_bytes(claim["spec"]["resources"]["requests"]["storage"]))
        self.api.put(LIVE, {"metadata": {"name": name, "namespace": HOME}, "spec": {"size": size}, "status": {"state": "detached"}})
        self.data[name] = "empty"
        claim["spec"]["volumeName"], claim["status"] = name, {"phase": "Bound"}

    def _run(self, deployment: Json) -> None:
        name, wanted = deployment["metadata"]["name"], deployment["spec"]["replicas"]
        claim = self.api.objects.get((f"{CLAIMS.base}/{CLAIMS.plural}", SPACE, name))
        runs = self._pods(name)
        if not wanted:
            for pod in runs:
                self.api.drop(PODS, pod)
        elif (
            not runs
            and claim
            and claim.get("status", {}).get("phase") == "Bound"
            and not claim["metadata"].get("deletionTimestamp")
        ):
            owner = {"kind": "ReplicaSet", "name": name, "controller": True}
            metadata = {"name": f"{name}-pod", "namespace": SPACE, "labels": {"app": name}, "ownerReferences": [owner]}
            status = {"phase": "Running", "conditions": [condition("Ready")]}
            self.api.put(PODS, {"metadata": metadata, "spec": deployment["spec"]["template"]["spec"], "status": status})

    def _read(self, pod: Json) -> None:
        """A pod that reads a volume to its end, and says how much that is: of a word, its letters."""
        [volume] = [one for one in pod["spec"]["volumes"] if "persistentVolumeClaim" in one]
        place = f"{CLAIMS.base}/{CLAIMS.plural}", pod["metadata"]["namespace"], volume["persistentVolumeClaim"]["claimName"]
        claim = self.api.objects.get(place)
        if pod.get("status") or claim is None or claim.get("status", {}).get("phase") != "Bound":
            return
        word = self.data[claim["spec"]["volumeName"]]
        ended = {"terminated": {"message": f"{len(word)} {len(word) * GIB}", "exitCode": 0}}
        pod["status"] = {"phase": "Succeeded", "containerStatuses": [{"state": ended}]}

    def _longhorn(self, volume: Json, now: float) -> None:
        name, spec = volume["metadata"]["name"], volume["spec"]
        status = volume.setdefault("status", {})
        backup = spec.get("fromBackup", "").partition("backup=")[2].partition("&")[0]
        if backup and not status.get("restoreInitiated"):
            spec.setdefault("backupTargetName", "default")
            status.update(restoreInitiated=True, restoreRequired=True, state="attached")
            self._restored_at[name] = now + RESTORES
        elif status.get("restoreRequired") and now >= self._restored_at[name]:
            self.data[name] = self.kept[backup]
            status.update(restoreRequired=False, state="detached")
        elif not status.get("restoreRequired"):
            used = any(self.volume_of_pod(pod) == name for pod in self._all(PODS))
            status["state"] = "attached" if used else "detached"
        metadata = {"name": f"{name}-e", "namespace": HOME, "labels": {"longhornvolume": name}}
        self.api.put(ENGINES, {"metadata": metadata, "spec": {"volumeSize": spec["size"]}, "status": {}})

    def volume_of_pod(self, pod: Json) -> str:
        """The volume of its claim."""
        claim = self.api.objects.get((f"{CLAIMS.base}/{CLAIMS.plural}", SPACE, pod["metadata"].get("labels", {}).get("app", "")))
        return str(claim["spec"].get("volumeName", "")) if claim else ""


def written() -> Cluster:
    """An application that wrote, was backed up, and wrote again."""
    made = Cluster()
    made.application()
    made.write("web", "monday")
    made.back_up("web")
    made.write("web", "tuesday")
    return made


def _uses(pod: Json, claim: str) -> bool:
    return any(one.get("persistentVolumeClaim", {}).get("claimName") == claim for one in pod["spec"]["volumes"])


def _bytes(text: Any) -> int:
    return int(text.removesuffix("Gi")) * GIB if str(text).endswith("Gi") else int(text)
