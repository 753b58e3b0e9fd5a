"""What can be wrong with workloads, ways in and what is left behind: at which root it has to be told, and in which words."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from tests.live.around import applied_by, endpoints, event, helm_record, thing
from tests.live.spoilt import Spoil
from tests.live.world import NOW, World

QUOTA = 'pods "site-1" is forbidden: exceeded quota: bounds, requested: pods=1, used: pods=5, limited: pods=5'


def also(**more: dict[str, Any]) -> Spoil:
    """With one more of each."""

    def change(world: World) -> None:
        for plural, one in more.items():
            world[plural].append(copy.deepcopy(one))

    return change


def instead(plural: str, one: dict[str, Any]) -> Spoil:
    """An object in place of the one of its name and namespace."""

    def change(world: World) -> None:
        place = [one["metadata"].get(key) for key in ("name", "namespace")]
        others = [other for other in world[plural] if [other["metadata"].get(key) for key in ("name", "namespace")] != place]
        world[plural] = [*others, copy.deepcopy(one)]

    return change


def without(plural: str, namespace: str) -> Spoil:
    """Without those of a namespace."""
    return lambda world: world.update({plural: [one for one in world[plural] if one["metadata"].get("namespace") != namespace]})


def pod(name: str, status: dict[str, Any]) -> dict[str, Any]:
    """A pod on k3s1."""
    return thing(name, "web", spec={"nodeName": "k3s1"}, status=status)


def restarted(name: str, count: int, ended: str, reason: str) -> dict[str, Any]:
    """A pod that runs, whose container ended as long ago as that."""
    last = {"reason": reason, "exitCode": 137, "finishedAt": ended}
    status = {"name": "app", "restartCount": count, "state": {"running": {}}, "lastState": {"terminated": last}}
    return pod(name, {"phase": "Running", "startTime": minutes_ago(120), "containerStatuses": [status]})


def minutes_ago(minutes: int) -> str:
    """A moment, as the API writes it."""
    return (NOW - timedelta(minutes=minutes)).isoformat()


REFUSED = [
    {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": QUOTA,
        "lastTransitionTime": "2026-11-27T23:00:00Z",
    }
]
STARTING = {"phase": "Pending", "startTime": "2026-01-01T00:00:00Z"}
SPOILT: dict[str, tuple[Spoil, str, str]] = {
    "a Deployment whose pods are refused": (
        instead("deployments", thing("site", "web", applied_by("dns"), spec={}, status={"conditions": REFUSED})),
        "Deployment web/site",
        'makes no pods: pods "site-1" is forbidden: exceeded quota',
    ),
    "a StatefulSet whose pods are refused": (
        instead("statefulsets", thing("db", "web", spec={"replicas": 2}, status={"replicas": 1})),
        "StatefulSet web/db",
        "create Pod db-0 failed: exceeded quota",
    ),
    "a DaemonSet whose pods are refused": (
        also(
            daemonsets=thing("watch", "web", status={"desiredNumberScheduled": 3}),
            events=event("DaemonSet", "web/watch", "FailedCreate", 'violates PodSecurity "restricted:latest"'),
        ),
        "DaemonSet web/watch",
        "violates PodSecurity",
    ),
    "a Job whose pods are refused": (
        also(
            jobs=thing("backup", "web", spec={}, status={}),
            events=event("Job", "web/backup", "FailedCreate", 'serviceaccount "backup" not found'),
        ),
        "Job web/backup",
        'serviceaccount "backup" not found',
    ),
    "a volume that is not mounted": (
        also(
            pods=pod("site-3", STARTING),
            events=event("Pod", "web/site-3", "FailedMount", 'MountVolume.SetUp failed for volume "x": configmap "x" not found'),
        ),
        "pod web/site-3",
        'does not start: MountVolume.SetUp failed for volume "x": configmap "x" not found',
    ),
    "a claim that is not provisioned": (
        also(
            persistentvolumeclaims=thing("photos", "web", spec={"storageClassName": "longhorn"}, status={"phase": "Pending"}),
            events=event("PersistentVolumeClaim", "web/photos", "ProvisioningFailed", "failed to provision volume: no room"),
        ),
        "claim web/photos",
        "is pending: failed to provision volume: no room",
    ),
    "a pod that took too much memory": (
        also(pods=restarted("site-4", 1, minutes_ago(10), "OOMKilled")),
        "pod web/site-4",
        "it took more memory than its limit (OOMKilled)",
    ),
    "a pod that is started again and again": (
        also(pods=restarted("site-5", 9, minutes_ago(10), "Error")),
        "pod web/site-5",
        "was started again 9 times, the last time after exit code 137",
    ),
    "a release of Helm without a HelmRelease": (
        also(secrets=helm_record("former", "web")),
        "Helm's release web/former",
        "no HelmRelease is there for it",
    ),
    "a Kustomization that is gone": (
        also(namespaces=thing("papers", labels=applied_by("papers"))),
        "kustomization flux-system/papers",
        "is gone, and what it applied is there: Namespace papers",
    ),
    "a route to a Service that is gone": (
        without("services", "example-app-dev"),
        "route example-app-dev",
        "leads to Service example-app-dev/example-app, which is not there",
    ),
    "a route without a pod that is ready": (
        instead("endpointslices", endpoints("example-app", "example-app-prod", ready=False)),
        "route example-app-prod",
        "of which no pod is ready",
    ),
    "a controller without a pod that is ready": (
        instead("endpointslices", endpoints("controller", "ingress-nginx", ready=False)),
        "ingress controller in ingress-nginx",
        "has no pod that is ready",
    ),
}
