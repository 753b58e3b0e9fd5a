"""Rows that are accidents: somebody or something changed or deleted what was there.

Sources: kubernetes/kubernetes pkg/kubelet/nodestatus/setters.go: a kubelet's words of DiskPressure;
pkg/controller/volume/persistentvolume/pv_controller.go: a claim whose volume is gone is Lost.
"""

from __future__ import annotations

from tests.e2e.cluster.api import Json
from tests.e2e.cluster.report import KUSTOMIZATION
from tests.e2e.doctor.stage import LONGHORN, Act, Row, Rows, Stage

_MACHINE, _CLAIM, _VOLUME = ("v1", "Node"), ("v1", "PersistentVolumeClaim"), ("v1", "PersistentVolume")
_WORKLOADS = ("longhorn's workloads",)
_MANAGERS = ("apps/v1", "DaemonSet", "longhorn-manager")


def _loses_a_label(stage: Stage) -> None:
    stage.applied("node-k3s1-labels")
    stage.cluster.api.patch(*_MACHINE, "k3s1", {"metadata": {"labels": {"storage": None}}})


def _labels_again(stage: Stage) -> None:
    stage.cluster.reconcile(*KUSTOMIZATION, "node-k3s1-labels", "flux-system")


def _pressure(status: str, reason: str, says: str) -> Act:
    """What the kubelet of k3s1 says of its disk."""

    def bring(stage: Stage) -> None:
        seen: Json = stage.cluster.api.get(*_MACHINE, "k3s1") or {}
        new = {"status": status, "reason": reason, "message": says}
        found = [one | new if one["type"] == "DiskPressure" else one for one in seen["status"]["conditions"]]
        stage.status(_MACHINE, "k3s1", {"conditions": found})

    return bring


def _selects(app: str) -> Act:
    """Which pods the Service of Longhorn's UI selects."""
    change = {"spec": {"selector": {"app": app}}}
    return lambda stage: stage.cluster.api.patch("v1", "Service", "longhorn-frontend", change, namespace=LONGHORN)


def _runs(image: str) -> Act:
    """Another image in Longhorn's managers, set by hand."""
    containers = [{"name": "longhorn-manager", "image": image}]
    change = {"spec": {"template": {"spec": {"containers": containers}}}}

    def bring(stage: Stage) -> None:
        """Until they are ready again: before, Longhorn's webhook refuses what another row does."""

        def restarted() -> bool:
            seen: Json = stage.cluster.api.get(*_MANAGERS, LONGHORN) or {}
            status = seen["status"]
            new = status.get("observedGeneration") == seen["metadata"]["generation"]
            return bool(
                new and status.get("updatedNumberScheduled") == status.get("numberReady") == status["desiredNumberScheduled"]
            )

        stage.cluster.api.patch(*_MANAGERS, change, namespace=LONGHORN)
        stage.cluster.eventually("the managers restarted", restarted)

    return bring


def _loses_a_volume(stage: Stage) -> None:
    api = stage.cluster.api
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "longhorn", "resources": {"requests": {"storage": "1Gi"}}}
    api.create({"apiVersion": "v1", "kind": _CLAIM[1], "metadata": {"name": "papers", "namespace": "default"}, "spec": spec})

    def bound() -> str:
        seen: Json = api.get(*_CLAIM, "papers", "default") or {}
        return str(seen["spec"].get("volumeName", "")) if seen["status"].get("phase") == "Bound" else ""

    volume = stage.cluster.eventually("the claim bound", bound)
    api.delete(*_VOLUME, volume)
    api.patch(*_VOLUME, volume, {"metadata": {"finalizers": None}})


OF_ACCIDENTS: Rows = {
    "F10 labels are gone": Row(_loses_a_label, "machine k3s1", "has not the labels that are described", right=_labels_again),
    "F19 the disk of the system is full": Row(
        _pressure("True", "KubeletHasDiskPressure", "kubelet has disk pressure"),
        "machine k3s1",
        "is short of disk space",
        right=_pressure("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ),
    "F21 the UI cannot be reached": Row(
        _selects("nobody"), "route longhorn", "of which no pod is ready", right=_selects("longhorn-ui"), of=_WORKLOADS
    ),
    "U9 workloads that drifted": Row(
        _runs("longhornio/longhorn-manager:v1.8.2"),
        f"managers in {LONGHORN}",
        "run longhornio/longhorn-manager:v1.8.2, and 1.9.2 is described",
        right=_runs("example.test/longhorn-manager:1"),
        of=(*_WORKLOADS, "layer longhorn-node-k3s1"),  # of which the webhook refuses everything while managers restart
    ),
    "U10 a volume that is gone": Row(
        _loses_a_volume,
        "claim default/papers",
        "is lost",
        right=lambda stage: stage.cluster.api.delete(*_CLAIM, "papers", "default"),
    ),
}
