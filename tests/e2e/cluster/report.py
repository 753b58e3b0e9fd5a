"""What a person would look at first in a cluster that does not become ready, a line a thing."""

from __future__ import annotations

from collections.abc import Iterator

from tests.e2e.cluster.api import Api, Json, condition

KUSTOMIZATION = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization")
RELEASE = ("helm.toolkit.fluxcd.io/v2", "HelmRelease")
SOURCE = ("source.toolkit.fluxcd.io/v1", "GitRepository")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
EVENTS_SHOWN = 12


def conditions(api: Api) -> Iterator[str]:
    """What Flux says of each of its objects."""
    for obj in [*api.list(*SOURCE), *api.list(*KUSTOMIZATION), *api.list(*RELEASE)]:
        now = condition(obj)
        name = f"{obj['kind']}/{obj['metadata']['name']}"
        yield f"{name:50} {now.get('status', '-'):8} {now.get('message', '')[:400]}"


def workloads(api: Api) -> Iterator[str]:
    """Workloads that have not all their pods, and pods that are not ready, with what keeps them."""
    for kind in WORKLOADS:
        for workload in api.list("apps/v1", kind):
            status = workload.get("status", {})
            wanted = status.get("desiredNumberScheduled", workload["spec"].get("replicas", 0))
            ready = status.get("numberReady", status.get("readyReplicas", 0))
            if wanted != ready or status.get("observedGeneration") != workload["metadata"]["generation"]:
                yield f"{named(workload, kind)}: {ready} of {wanted} ready"
    for pod in api.list("v1", "Pod"):
        found = {one["type"]: one for one in pod["status"].get("conditions", ())}
        if found.get("Ready", {}).get("status") != "True" and pod["status"].get("phase") != "Succeeded":
            missing = [f"no {kind}: {one.get('message', '')}" for kind, one in found.items() if one["status"] != "True"]
            place = pod["spec"].get("nodeName", "no node")
            yield f"{named(pod, 'Pod')}: {pod['status'].get('phase')} on {place}; {'; '.join(missing)[:300]}"


def claims(api: Api) -> Iterator[str]:
    """Claims without a volume, and who is asked for one."""
    for claim in api.list("v1", "PersistentVolumeClaim"):
        if claim["status"].get("phase") != "Bound":
            asked = claim["metadata"].get("annotations", {}).get(PROVISIONER, "nobody")
            storage = claim["spec"].get("storageClassName", "none")
            yield f"{named(claim, 'PersistentVolumeClaim')}: {claim['status'].get('phase')}; class {storage}, asked of {asked}"


def warnings(api: Api) -> Iterator[str]:
    """The last events that are warnings."""
    found = [event for event in api.list("v1", "Event") if event["type"] == "Warning"]
    for event in sorted(found, key=lambda event: event.get("lastTimestamp") or "")[-EVENTS_SHOWN:]:
        involved = event["involvedObject"]
        yield f"event {involved['kind']}/{involved.get('name')}: {event['reason']}: {event.get('message', '')[:300]}"


def named(obj: Json, kind: str) -> str:
    """An object as people name it; items of a list do not say their kind."""
    return f"{kind} {obj['metadata']['namespace']}/{obj['metadata']['name']}"
