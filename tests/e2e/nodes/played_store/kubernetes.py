"""What Longhorn sees of Kubernetes, and says of it at a volume (controller/kubernetes_pv_controller.go)."""

from __future__ import annotations

from typing import NamedTuple

from tests.e2e.cluster.api import Api, Json

from .objects import DRIVER, now, status_of


class Seen(NamedTuple):
    """One look. `machine`: the first one, which owns all that has an owner. `volumes`: by their names; `handles`: by Longhorn's."""

    machine: str
    claims: dict[tuple[str, str], Json]
    volumes: dict[str, Json]
    handles: dict[str, Json]
    pods: list[Json]
    attachments: list[Json]


def look(api: Api) -> Seen:
    """Look once."""
    volumes = {one["metadata"]["name"]: one for one in api.list("v1", "PersistentVolume")}
    return Seen(
        min((one["metadata"]["name"] for one in api.list("v1", "Node")), default=""),
        {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in api.list("v1", "PersistentVolumeClaim")},
        volumes,
        {handle: one for one in volumes.values() if (handle := handle_of(one))},
        api.list("v1", "Pod"),
        [one for one in api.list("storage.k8s.io/v1", "VolumeAttachment") if one["spec"]["attacher"] == DRIVER],
    )


def handle_of(volume: Json) -> str:
    """Longhorn's name of a PersistentVolume; empty where it is another driver's."""
    csi = volume["spec"].get("csi") or {}
    return str(csi.get("volumeHandle", "")) if csi.get("driver") == DRIVER else ""


def kubernetes_status(name: str, had: Json, seen: Seen) -> Json:
    """Who has the volume, or had it: history stays, and says since when it is that."""
    bound = seen.handles.get(name)
    if bound is None or bound["metadata"].get("deletionTimestamp"):
        return _without(had)
    own, phase = bound["metadata"]["name"], status_of(bound).get("phase", "")
    said = dict(had) if had.get("pvName") == own else {}
    was = said.get("pvStatus", "")
    said |= {"pvName": own, "pvStatus": phase}
    claim = bound["spec"].get("claimRef")
    if claim and phase == "Bound":
        said |= {"pvcName": claim["name"], "namespace": claim["namespace"], "lastPVCRefAt": ""}
    elif said.get("pvcName") and not said.get("lastPVCRefAt") and (was == "Bound" or not claim):
        said["lastPVCRefAt"] = now()
    using = [one for one in seen.pods if phase == "Bound" and _uses(one, said)]
    if using:
        said |= {"workloadsStatus": sorted((_workload(one) for one in using), key=lambda one: one["podName"]), "lastPodRefAt": ""}
    elif said.get("workloadsStatus") and not said.get("lastPodRefAt"):
        said["lastPodRefAt"] = now()
    return said


def _without(had: Json) -> Json:
    """Of a volume whose PersistentVolume is gone."""
    if not had.get("pvName"):
        return had
    said = {**had, "pvName": "", "pvStatus": ""}
    if said.get("pvcName") and not said.get("lastPVCRefAt"):
        said["lastPVCRefAt"] = now()
    if said.get("workloadsStatus") and not said.get("lastPodRefAt"):
        said["lastPodRefAt"] = now()
    return said


def _uses(pod: Json, said: Json) -> bool:
    claims = [one.get("persistentVolumeClaim", {}).get("claimName") for one in pod["spec"].get("volumes", [])]
    return pod["metadata"]["namespace"] == said.get("namespace") and said.get("pvcName") in claims


def _workload(pod: Json) -> Json:
    owner: Json = next(iter(pod["metadata"].get("ownerReferences") or []), {})
    said = {"podName": pod["metadata"]["name"], "podStatus": status_of(pod).get("phase", "")}
    return {**said, "workloadName": owner.get("name", ""), "workloadType": owner.get("kind", "")}
