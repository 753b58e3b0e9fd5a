"""Ways to spoil a healthy cluster, and a catalogue of what can be wrong: at which root it has to be told, and in which words."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.live.around import thing
from tests.live.world import FLUX, LONGHORN, World, condition, volume

Spoil = Callable[[World], object]


def one_of(world: World, plural: str, name: str) -> dict[str, Any]:
    """An object; one that nobody sees, where it is gone already."""
    return next((one for one in world[plural] if one["metadata"]["name"] == name), thing(name, status={}, spec={}))


def says(plural: str, name: str, status: str, reason: str, message: str) -> Spoil:
    """An object whose Ready condition is this."""

    def change(world: World) -> None:
        one_of(world, plural, name)["status"]["conditions"] = [condition("Ready", status, reason=reason, message=message)]

    return change


def disk(name: str, *, uuid: str | None = None, conditions: list[dict[str, Any]] | None = None) -> Spoil:
    """What Longhorn says of a disk of k3s1."""

    def change(world: World) -> None:
        status = one_of(world, "nodes of Longhorn", "k3s1")["status"]["diskStatus"][name]
        if uuid is not None:
            status["diskUUID"] = uuid
        if conditions is not None:
            status["conditions"] = conditions

    return change


def gone(plural: str, name: str) -> Spoil:
    """Without an object."""
    return lambda world: world.update({plural: [one for one in world[plural] if one["metadata"]["name"] != name]})


def more(plural: str, obj: dict[str, Any]) -> Spoil:
    """With one more."""
    return lambda world: world[plural].append(copy.deepcopy(obj))


def begun(holder: str, renewed: str = "2026-11-27T23:59:50.000000Z") -> dict[str, Any]:
    """The Lease of a procedure."""
    notes = {"fluxstead/procedure": "recover manager k3s1", "fluxstead/begun": "2026-11-27T19:00:00Z", "fluxstead/notes": "{}"}
    made = thing("fluxstead-procedure", "kube-system", spec={"holderIdentity": holder, "renewTime": renewed})
    made["metadata"]["annotations"] = notes
    return made


def machine(**conditions: tuple[str, str]) -> Spoil:
    """What the kubelet of k3s1 says."""

    def change(world: World) -> None:
        found = [condition(kind, status, message=message) for kind, (status, message) in conditions.items()]
        one_of(world, "nodes of Kubernetes", "k3s1")["status"]["conditions"] = found

    return change


def changed(plural: str, name: str, *way: str, to: Any) -> Spoil:
    """A value of an object."""

    def change(world: World) -> None:
        holder = one_of(world, plural, name)
        for key in way[:-1]:
            holder = holder.setdefault(key, {})
        holder[way[-1]] = copy.deepcopy(to)

    return change


def waiting(*names: str) -> Spoil:
    """Layers that wait for those before them, as Flux says it."""

    def change(world: World) -> None:
        for name in names:
            says("kustomizations", name, "False", "DependencyNotReady", "dependency 'flux-system/…' is not ready")(world)

    return change


def together(*spoil: Spoil) -> Spoil:
    """Several at once."""

    def change(world: World) -> None:
        for one in spoil:
            one(world)

    return change


STUCK = thing(
    "site-2",
    "web",
    spec={"nodeName": "k3s1", "volumes": [{"persistentVolumeClaim": {"claimName": "uploads"}}]},
    status={
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "False", "message": "pod has unbound immediate PersistentVolumeClaims"}],
    },
)
NO_IMAGE = thing(
    "app-1",
    "example-app-dev",
    spec={"nodeName": "k3s1"},
    status={
        "phase": "Pending",
        "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}}],
    },
)
PLANTED: dict[str, tuple[Spoil, str, str]] = {
    "a layer that is behind": (
        changed("kustomizations", "dns", "status", "lastAppliedRevision", to="main@sha1:0"),
        "layer dns",
        "has applied main@sha1:0, and Flux has had main@sha1:1 for long",
    ),
    "F1 monitoring waits for a claim": (
        together(
            says("helmreleases", "monitoring-kube-prometheus-stack", "False", "InstallFailed", "context deadline exceeded"),
            more(
                "persistentvolumeclaims", thing("db", "monitoring", spec={"storageClassName": "fast"}, status={"phase": "Pending"})
            ),
        ),
        "claim monitoring/db",
        "there is no StorageClass fast",
    ),
    "F9 another Longhorn runs": (
        changed("settings", "current-longhorn-version", "value", to="v1.8.2"),
        "Longhorn v1.8.2",
        "1.9.2 is described",
    ),
    "F10 labels are gone": (
        changed("nodes of Kubernetes", "k3s1", "metadata", "labels", to={}),
        "machine k3s1",
        "has not the labels",
    ),
    "F11 iSCSI is missing": (
        changed(
            "nodes of Longhorn",
            "k3s1",
            "status",
            "conditions",
            to=[condition("Ready"), condition("RequiredPackages", "False", message="Missing packages: [open-iscsi]")],
        ),
        "what Longhorn needs on k3s1",
        "open-iscsi",
    ),
    "F15 a disk without a UUID": (
        together(
            disk("sdg1", uuid=""),
            says("kustomizations", "longhorn-disks", "Unknown", "Progressing", "Running health checks with a timeout of 1m"),
            waiting(
                "longhorn-disks-registered", "longhorn-storage", "kube-prometheus-stack", "monitoring-scrapes", "monitoring-routes"
            ),
        ),
        "disk sdg1 of k3s1",
        "holds JSON without one, such as {}",
    ),
    "F12 an empty longhorn-disk.cfg": (
        disk(
            "sdh1", uuid="", conditions=[condition("Ready", "False", reason="NoDiskInfo", message="unexpected end of JSON input")]
        ),
        "disk sdh1 of k3s1",
        "unexpected end of JSON input",
    ),
    "F24 a disk that is not mounted": (
        disk(
            "sdf1",
            conditions=[condition("Ready", "False", reason="DiskFilesystemChanged", message="record diskUUID doesn't match")],
        ),
        "disk sdf1 of k3s1",
        "record diskUUID doesn't match",
    ),
    "F17 a release that stopped trying": (
        changed(
            "helmreleases",
            "longhorn",
            "status",
            "conditions",
            to=[
                condition("Ready", "False", reason="InstallFailed", message="timed out"),
                condition("Stalled", reason="RetriesExceeded"),
            ],
        ),
        f"release {LONGHORN}/longhorn",
        "has stopped trying: timed out",
    ),
    "F18 a faulted volume": (more("volumes", volume("pvc-9", "faulted", claim="uploads")), "volume pvc-9", "claim web/uploads"),
    "F18 a Node that does not go": (
        changed("nodes of Longhorn", "k3s1", "metadata", "deletionTimestamp", to="2026-11-28T00:00:00Z"),
        "node of Longhorn k3s1",
        "does not go",
    ),
    "F19 a full disk of the system": (
        machine(Ready=("True", ""), DiskPressure=("True", "")),
        "machine k3s1",
        "short of disk space",
    ),
    "a machine that is down": (
        together(
            machine(Ready=("Unknown", "Kubelet stopped posting node status.")),
            more("volumes", volume("pvc-9", "degraded")),
            more("pods", NO_IMAGE),
        ),
        "machine k3s1",
        "Kubelet stopped posting",
    ),
    "a procedure that was cut off": (more("leases", begun(holder="")), "procedure recover manager k3s1", "has not ended"),
    "a procedure whose runner is dead": (
        more("leases", begun(holder="me@here/1", renewed="2026-11-27T20:00:00.000000Z")),
        "procedure recover manager k3s1",
        "was begun at 2026-11-27T19:00:00Z",
    ),
    "a machine that never came": (gone("nodes of Kubernetes", "k3s1"), "machine k3s1", "not in the cluster"),
    "a machine that nobody described": (
        more("nodes of Kubernetes", thing("guest", status={"conditions": [condition("Ready")]})),
        "machine guest",
        "in no file of nodes/",
    ),
    "a cordoned machine": (changed("nodes of Kubernetes", "k3s1", "spec", "unschedulable", to=True), "machine k3s1", "cordoned"),
    "another release of k3s": (
        changed("nodes of Kubernetes", "k3s1", "status", "nodeInfo", to={"kubeletVersion": "v1.32.5+k3s1"}),
        "machine k3s1",
        "v1.33.1+k3s1 is described",
    ),
    "Git cannot be read": (
        together(
            says("gitrepositories", FLUX, "False", "GitOperationFailed", "authentication required"),
            says("kustomizations", "dns", "False", "ArtifactNotReady", "Source artifact not found"),
        ),
        f"source {FLUX}/{FLUX}",
        "authentication required",
    ),
    "Flux reads nothing": (gone("gitrepositories", FLUX), f"source {FLUX}/{FLUX}", "reads no repository"),
    "a group that cannot be built": (
        together(
            more(
                "kustomizations",
                thing(
                    "infrastructure",
                    FLUX,
                    status={
                        "observedGeneration": 1,
                        "conditions": [condition("Ready", "False", reason="BuildFailed", message="no file")],
                    },
                ),
            ),
            gone("kustomizations", "longhorn-routes"),
        ),
        "kustomization infrastructure",
        "no file",
    ),
    "a layer that cannot be built": (
        says("kustomizations", "dns", "False", "BuildFailed", "kustomize build failed: no such file"),
        "layer dns",
        "no such file",
    ),
    "a layer that is not there": (gone("kustomizations", "dns"), "layer dns", "not in the cluster"),
    "a suspended layer": (changed("kustomizations", "dns", "spec", "suspend", to=True), "layer dns", "suspended"),
    "a suspended release": (
        changed("helmreleases", "longhorn", "spec", "suspend", to=True),
        f"release {LONGHORN}/longhorn",
        "suspended",
    ),
    "a release whose file is gone": (
        more("helmreleases", thing("old", "web", spec={}, status={"observedGeneration": 1, "conditions": [condition("Ready")]})),
        "release web/old",
        "no layer applies it",
    ),
    "an image that is not there": (more("pods", NO_IMAGE), "pod example-app-dev/app-1", "ImagePullBackOff"),
    "a claim without a volume": (
        together(
            more("pods", STUCK),
            more(
                "persistentvolumeclaims",
                thing("uploads", "web", spec={"storageClassName": "longhorn"}, status={"phase": "Pending"}),
            ),
        ),
        "claim web/uploads",
        "is pending",
    ),
    "a certificate that does not come": (
        says("certificates", "default-certificate", "False", "DoesNotExist", "waiting for the issuer"),
        "certificate ingress-nginx/default-certificate",
        "waiting for the issuer",
    ),
    "an authority without its key": (
        together(
            says("clusterissuers", "own-ca", "False", "ErrGetKeyPair", 'secrets "own-ca" not found'),
            says("certificates", "default-certificate", "False", "DoesNotExist", "issuer is not ready"),
        ),
        "issuer own-ca",
        "not found",
    ),
}
