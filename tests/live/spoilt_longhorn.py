"""What can be wrong with Longhorn, beside what the catalogue of everything has of it."""

from __future__ import annotations

from typing import Any

from tests.live.around import thing
from tests.live.spoilt import STUCK, Spoil, changed, machine, more, one_of, together
from tests.live.world import LONGHORN, World, attachment, backup, condition, engine, image_of, volume

_LONG_AGO = "2026-11-01T00:00:00Z"
_OLD_ENGINE, _OLD_INSTANCES = image_of("engine", "v1.8.2"), image_of("instance-manager", "v1.8.2")
_OLD_MANAGER = f"{image_of('manager', 'v1.8.2')}@sha256:0a"
_GIB = 2**30


def lasting(kind: str, status: str, message: str, reason: str = "", since: str = _LONG_AGO) -> dict[str, Any]:
    """A condition since some time."""
    return condition(kind, status, message=message, reason=reason, lastTransitionTime=since)


def left_over(name: str, copies: int) -> dict[str, Any]:
    """A Node of Longhorn whose disk holds that many copies."""
    held = {f"copy-{number}": 1 for number in range(copies)}
    return thing(
        name,
        LONGHORN,
        spec={"disks": {"sdb1": {"path": "/mnt/sdb1"}}},
        status={
            "conditions": [condition("Ready", "False", reason="KubernetesNodeGone", message="Kubernetes node missing")],
            "diskStatus": {"sdb1": {"diskUUID": "u", "scheduledReplica": held}},
        },
    )


def orphan(name: str, kind: str, **parameters: str) -> dict[str, Any]:
    """Something on k3s1 that nothing refers to."""
    return thing(name, LONGHORN, spec={"nodeID": "k3s1", "orphanType": kind, "parameters": parameters})


def waits_for(claim: str) -> dict[str, Any]:
    """A pod that does not start without its volume."""
    volumes = [{"persistentVolumeClaim": {"claimName": claim}}]
    return thing(f"of-{claim}", "web", spec={"nodeName": "k3s1", "volumes": volumes}, status=STUCK["status"])


def promised(gib: int) -> Spoil:
    """A disk of 100 GiB, of which that much is promised."""

    def change(world: World) -> None:
        node = one_of(world, "nodes of Longhorn", "k3s1")
        node["spec"]["disks"]["sdg1"]["storageReserved"] = 10 * _GIB
        node["status"]["diskStatus"]["sdg1"] |= {
            "storageMaximum": 100 * _GIB,
            "storageScheduled": gib * _GIB,
            "conditions": [
                condition("Ready"),
                condition("Schedulable", "False", reason="DiskPressure", message="Disk sdg1 has 40 available, but requires 25%"),
            ],
        }

    return change


_DOWN_WITH_ALL = together(
    machine(Ready=("Unknown", "Kubelet stopped posting node status.")),
    changed("engineimages", "ei-1", "status", "state", to="deploying"),
    changed("engineimages", "ei-1", "status", "nodeDeploymentMap", "k3s1", to=False),
    changed("instancemanagers", "instance-manager-k3s1", "status", "currentState", to="unknown"),
    more("volumes", volume("pvc-9", "faulted")),
    more("volumeattachments of Longhorn", attachment("pvc-9", csi=False)),
)
_LATE = changed("volumes", "pvc-1", "status", "lastBackupAt", to="2026-11-20T02:00:00Z")
_UNAVAILABLE = together(
    changed("backuptargets", "default", "status", "available", to=False),
    changed(
        "backuptargets",
        "default",
        "status",
        "conditions",
        to=[lasting("Unavailable", "True", "failed to list system backups in nfs://nas.example:/backups: timed out")],
    ),
)

OF_LONGHORN: dict[str, tuple[Spoil, str, str]] = {
    "F24 a default disk that nobody described": (
        together(
            changed("nodes of Longhorn", "k3s1", "spec", "disks", "default-disk-1", to={"path": "/var/lib/longhorn/"}),
            changed(
                "nodes of Longhorn",
                "k3s1",
                "status",
                "diskStatus",
                "default-disk-1",
                to={"diskUUID": "u", "conditions": [condition("Ready"), condition("Schedulable")]},
            ),
        ),
        "disk default-disk-1 of k3s1",
        "is used by Longhorn at /var/lib/longhorn/, and no file of nodes/ describes it",
    ),
    "F9 volumes on the engine of a former Longhorn": (
        together(
            more("volumes", volume("pvc-11", "healthy", currentImage=_OLD_ENGINE)),
            more("volumes", volume("pvc-10", "unknown", "detached", currentImage=_OLD_ENGINE)),
        ),
        f"engine image {_OLD_ENGINE}",
        "still runs 2 volumes (pvc-11, pvc-10)",
    ),
    "F9 an engine that is not understood any more": (
        together(
            more("volumes", volume("pvc-12", "unknown", "detached", currentImage=_OLD_ENGINE)),
            more(
                "engineimages",
                thing("ei-0", LONGHORN, spec={"image": _OLD_ENGINE}, status={"incompatible": True, "refCount": 1}),
            ),
        ),
        f"engine image {_OLD_ENGINE}",
        "not understood by the Longhorn that runs",
    ),
    "an engine image that is not on every machine": (
        together(
            changed("engineimages", "ei-1", "status", "state", to="deploying"),
            changed(
                "engineimages",
                "ei-1",
                "status",
                "conditions",
                to=[lasting("ready", "False", "Engine image is not fully deployed on targeted ready nodes: 1 of 2")],
            ),
        ),
        f"engine image {image_of('engine')}",
        "not fully deployed on targeted ready nodes: 1 of 2",
    ),
    "F9 managers of another image": (
        changed(
            "daemonsets",
            "longhorn-manager",
            "spec",
            to={"template": {"spec": {"containers": [{"name": "longhorn-manager", "image": _OLD_MANAGER}]}}},
        ),
        f"managers in {LONGHORN}",
        "run longhornio/longhorn-manager:v1.8.2@sha256:0a, and 1.9.2 is described",
    ),
    "F9 managers that stayed on the former release": (
        changed("daemonsets", "longhorn-manager", "status", "updatedNumberScheduled", to=1),
        f"managers in {LONGHORN}",
        "are of the former release on 1 of 2 machines",
    ),
    "F9 another Longhorn, with a defect": (
        changed("settings", "current-longhorn-version", "value", to="v1.8.1"),
        "Longhorn v1.8.1",
        "it has a known defect: a disk whose path is missing",
    ),
    "F9 instance managers of a former Longhorn": (
        changed("instancemanagers", "instance-manager-k3s1", "spec", "image", to=_OLD_INSTANCES),
        f"instance manager {_OLD_INSTANCES}",
        "still runs volumes on k3s1",
    ),
    "an instance manager in error": (
        changed("instancemanagers", "instance-manager-k3s1", "status", "currentState", to="error"),
        "instance manager of k3s1",
        "is in the state error",
    ),
    "a machine that is down, and all of Longhorn there": (_DOWN_WITH_ALL, "machine k3s1", "Kubelet stopped posting"),
    "F18 a Node whose machine is gone, with copies": (
        more("nodes of Longhorn", left_over("k3s9", 3)),
        "node of Longhorn k3s9",
        "no longer in Kubernetes, and 3 copies are still counted on it",
    ),
    "F18 a Node whose machine is gone": (
        more("nodes of Longhorn", left_over("k3s9", 0)),
        "node of Longhorn k3s9",
        "is left over",
    ),
    "a rebuild": (
        together(
            more("volumes", volume("pvc-13", "degraded")),
            more("engines", engine("pvc-13", rebuildStatus={"tcp://a": {"isRebuilding": True, "progress": 42}})),
        ),
        "volume pvc-13",
        "a copy of it is being made, 42 % is there",
    ),
    "a volume for whose copy there is no room": (
        together(
            promised(95),
            more(
                "volumes",
                volume("pvc-14", "degraded", conditions=[lasting("Scheduled", "False", "insufficient storage")]),
            ),
        ),
        "disk sdg1 of k3s1",
        "95 GiB are promised to volumes, and 90 GiB may be",
    ),
    "a disk that is nearly full": (promised(50), "disk sdg1 of k3s1", "takes no more copies: Disk sdg1 has 40 available"),
    "a volume that has no place": (
        together(
            more(
                "volumes",
                volume(
                    "pvc-15",
                    "unknown",
                    "detached",
                    claim="photos",
                    conditions=[lasting("Scheduled", "False", "tags not fulfilled", "ReplicaSchedulingFailure")],
                ),
            ),
            more("pods", waits_for("photos")),
        ),
        "volume pvc-15",
        "no machine takes a copy of it: tags not fulfilled",
    ),
    "a restore that failed": (
        more(
            "volumes",
            volume(
                "pvc-16",
                "faulted",
                "detached",
                restoreRequired=True,
                conditions=[lasting("Restore", "False", "All replica restore failed", "RestoreFailure")],
            ),
        ),
        "volume pvc-16",
        "could not be restored: All replica restore failed",
    ),
    "too many snapshots": (
        more(
            "volumes",
            volume(
                "pvc-17",
                "healthy",
                conditions=[lasting("TooManySnapshots", "True", "Snapshots count is 101 over the warning threshold 100")],
            ),
        ),
        "volume pvc-17",
        "Snapshots count is 101",
    ),
    "a backing image that is not there": (
        more(
            "volumes",
            volume("pvc-18", "unknown", conditions=[lasting("WaitForBackingImage", "True", "not found", "GetBackingImageFailed")]),
        ),
        "volume pvc-18",
        "waits for its backing image: not found",
    ),
    "a filesystem that turned read-only": (
        together(
            more("volumes", volume("pvc-19", "healthy", claim="uploads")),
            more("engines", engine("pvc-19", condition("FilesystemReadOnly"))),
        ),
        "filesystem of volume pvc-19",
        "is mounted read-only (claim web/uploads)",
    ),
    "a volume that does not grow": (
        together(
            more("volumes", volume("pvc-20", "healthy", claim="uploads", expansionRequired=True)),
            more("engines", engine("pvc-20", lastExpansionError="cannot expand volume before replica is healthy")),
        ),
        "size of volume pvc-20",
        "cannot expand volume before replica is healthy",
    ),
    "a volume that is not attached": (
        together(
            more("volumes", volume("pvc-21", "unknown", "attaching", claim="mail")),
            more("volumeattachments of Longhorn", attachment("pvc-21", csi=False)),
            more("pods", waits_for("mail")),
        ),
        "attachment of pvc-21",
        "does not come about on k3s1 (claim web/mail)",
    ),
    "a volume that a machine does not let go": (
        more(
            "volumeattachments of Kubernetes",
            {
                "metadata": {"name": "csi-9", "deletionTimestamp": _LONG_AGO},
                "spec": {"attacher": "driver.longhorn.io", "nodeName": "k3s1", "source": {"persistentVolumeName": "pvc-1"}},
                "status": {"detachError": {"message": "rpc error: deadline exceeded"}},
            },
        ),
        "attachment of pvc-1",
        "does not end on k3s1: rpc error: deadline exceeded",
    ),
    "data that no volume has": (
        together(
            more("orphans", orphan("o-1", "replica", DiskPath="/mnt/sdg1", DataName="pvc-7-r-1")),
            more("orphans", orphan("o-2", "replica", DiskPath="/mnt/sdg1", DataName="pvc-7-r-2")),
        ),
        "orphans on k3s1",
        "are 2 directories of copies that no volume has: /mnt/sdg1/replicas/pvc-7-r-1, /mnt/sdg1/replicas/pvc-7-r-2",
    ),
    "processes that no volume has": (
        more("orphans", orphan("o-3", "engine-instance", InstanceName="pvc-7-e-0")),
        "left-over processes on k3s1",
        "pvc-7-e-0",
    ),
    "a backup target that is away": (
        together(_UNAVAILABLE, more("backups", backup("b-2", "pvc-1", "Error", "2026-11-27T23:00:00Z", "timed out")), _LATE),
        "backup target default",
        "failed to list system backups",
    ),
    "a backup that failed": (
        together(more("backups", backup("b-2", "pvc-1", "Error", "2026-11-27T23:00:00Z", "no space left")), _LATE),
        "backup of pvc-1",
        "failed: no space left",
    ),
    "a backup of the cluster's state that failed": (
        more(
            "systembackups",
            thing(
                "system-2",
                LONGHORN,
                status={
                    "state": "Error",
                    "createdAt": "2026-11-27T23:00:00Z",
                    "conditions": [lasting("Error", "True", "failed to upload")],
                },
            ),
        ),
        "system backup system-2",
        "failed: failed to upload",
    ),
    "backups that no longer come": (_LATE, "recurring job nightly", "for more than 3 days of pvc-1"),
}


SAME: tuple[tuple[str, ...], ...] = (
    ("F9 managers of another image", "F9 managers that stayed on the former release"),
    ("F9 another Longhorn runs", "F9 another Longhorn, with a defect"),
    (
        "F9 instance managers of a former Longhorn",
        "an instance manager in error",
        "a machine that is down, and all of Longhorn there",
        "a machine that is down",
        "F19 a full disk of the system",
        "a machine that never came",
        "an image that is not there",
    ),
    ("an engine image that is not on every machine", "a machine that is down, and all of Longhorn there"),
    ("a disk that is nearly full", "a volume for whose copy there is no room", "F15 a disk without a UUID"),
    ("F18 a Node whose machine is gone, with copies", "F18 a Node whose machine is gone"),
    ("F9 volumes on the engine of a former Longhorn", "F9 an engine that is not understood any more"),
    ("a backup target that is away", "a backup that failed", "backups that no longer come"),
)
"""Of which each says another thing of the same object."""


def undescribed(copies: int) -> Spoil:
    """A machine in Kubernetes that no file describes, with a disk of Longhorn's."""
    node = left_over("guest", copies)
    node["status"]["conditions"] = [condition("Ready")]
    return together(
        more("nodes of Kubernetes", thing("guest", status={"conditions": [condition("Ready")]})), more("nodes of Longhorn", node)
    )
