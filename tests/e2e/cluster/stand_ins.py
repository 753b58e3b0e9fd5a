"""Stand-ins for what programs inside pods would do, each as the real one does it. Nothing else plays these parts.

- Longhorn's driver deployer: StorageClass `longhorn`, from the chart's ConfigMap, once the managers are ready;
- Longhorn's managers, each on its machine: a Node where there is none yet, and the status of its own Node, as the test says the
  disks are; a Node whose machine is not in the cluster is deleted; where a test has volumes, what is on a disk that is to be
  emptied goes elsewhere (tests/e2e/cluster/copies.py);
- Longhorn's admission webhook, from when the managers are ready: what the real one refuses of Nodes;
- Longhorn's provisioner: a volume for each claim that waits for one;
- cert-manager: an issuer is ready once its controller runs and the authority's Secret is there; nothing is issued;
- other admission webhooks, which only real charts have: yes to everything.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from threading import Event, Thread

import yaml

from tests.e2e.cluster.admission import Admission
from tests.e2e.cluster.api import Api, Json, RefusedError
from tests.e2e.cluster.copies import Copies
from tests.e2e.cluster.report import PROVISIONER

PLAYED = (
    "kubelets and load balancers: kwok; Longhorn's driver deployer, managers, admission webhook and provisioner, cert-manager's "
    "issuers, and the webhooks of real charts: tests/e2e/cluster/stand_ins.py"
)
NAMESPACE = "longhorn-system"
DISK_NAMESPACE = uuid.UUID("6d9a2f5e-0f7e-4a1c-9d5b-6f0f5f0c1a11")
EVERY_SECONDS = 0.5
PROBLEMS_SHOWN = 3


NODE_READY: Json = {"type": "Ready", "status": "True", "reason": "", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
"""What Longhorn says of a Node whose manager runs (longhorn-manager: controller/node_controller.go)."""


@dataclass(frozen=True)
class Disk:
    """What a manager says about one disk, and why. A disk that was once registered keeps its UUID when it dies."""

    uuid: str
    ready: bool = True
    reason: str = ""
    says: str = ""

    def status(self) -> Json:
        """The entry in `status.diskStatus`."""
        state = "True" if self.ready else "False"
        ready = {"type": "Ready", "status": state, "reason": self.reason, "message": self.says}
        # longhorn-manager: controller/node_controller.go, whose message here says only the same again.
        placed = {"type": "Schedulable", "status": state, "reason": "" if self.ready else "DiskNotReady", "message": ""}
        conditions = [ready, placed]
        return {"diskUUID": self.uuid, "conditions": conditions}


def registered(node: str, disk: str) -> Disk | None:
    """Every disk is there and has its UUID."""
    return Disk(str(uuid.uuid5(DISK_NAMESPACE, f"{node}/{disk}")))


def unseen(node: str, disk: str) -> Disk | None:
    """No manager has looked yet."""
    del node, disk
    return None


@dataclass
class StandIns:
    """One thread that looks at the cluster twice a second and does all parts."""

    api: Api
    admission: Admission
    disks: Callable[[str, str], Disk | None] = registered
    """What the managers see: a disk, or None as long as it is not in the status."""
    copies: Copies | None = None
    """What is on the disks, where a test has volumes; nothing is on them otherwise."""
    down: frozenset[str] = frozenset()
    """The machines that are down, so that no manager runs there: nobody else tells of their disks."""
    _problems: list[str] = field(default_factory=list)
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self.admission.stop()

    def report(self) -> list[str]:
        """What they could not do, the last at the end, and whether they still look."""
        said = [f"stand-in {problem}" for problem in self._problems[-PROBLEMS_SHOWN:]]
        return said if self._thread and self._thread.is_alive() else [*said, "the stand-ins have stopped looking"]

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            for part in (
                self._storage_class,
                self._webhook,
                self._default,
                self._copies,
                self._nodes,
                self._volumes,
                self._issuers,
                self.admission.answer,
            ):
                try:
                    part()
                except (RefusedError, OSError, HTTPException) as problem:
                    self._problems.append(f"{part.__name__}: {problem}")

    def _storage_class(self) -> None:
        if not self._managers_ready() or self.api.get("storage.k8s.io/v1", "StorageClass", "longhorn"):
            return
        described = self.api.get("v1", "ConfigMap", "longhorn-storageclass", NAMESPACE)
        if described:
            self.api.create(yaml.safe_load(described["data"]["storageclass.yaml"]))

    def _managers(self) -> Json:
        status: Json = (self.api.get("apps/v1", "DaemonSet", "longhorn-manager", NAMESPACE) or {}).get("status", {})
        return status

    def _managers_ready(self) -> bool:
        status = self._managers()
        wanted: int = status.get("desiredNumberScheduled", 0)
        return wanted > 0 and wanted == status.get("numberReady", 0)

    def _webhook(self) -> None:
        self.admission.longhorn(serves=self._managers().get("numberReady", 0) > 0)

    def _default(self) -> None:
        """A manager that starts keeps the Node that is there (longhorn-manager: app/daemon.go).

        One for which there is no machine goes (controller/kubernetes_node_controller.go).
        """
        if not self._managers_ready():
            return
        machines = {one["metadata"]["name"] for one in self.api.list("v1", "Node")}
        nodes = {one["metadata"]["name"] for one in self.api.list("longhorn.io/v1beta2", "Node", NAMESPACE)}
        for name in machines - nodes - self.down:
            spec = {"name": name, "allowScheduling": True, "evictionRequested": False, "tags": [], "disks": {}}
            metadata = {"name": name, "namespace": NAMESPACE}
            self.api.create({"apiVersion": "longhorn.io/v1beta2", "kind": "Node", "metadata": metadata, "spec": spec})
        for name in nodes - machines:
            self.api.delete("longhorn.io/v1beta2", "Node", name, NAMESPACE)

    def _nodes(self) -> None:
        if not self._managers_ready():
            return
        for node in self.api.list("longhorn.io/v1beta2", "Node", NAMESPACE):
            name = node["metadata"]["name"]
            if name in self.down:
                continue
            disks = {disk: self.disks(name, disk) for disk in node["spec"].get("disks", {})}
            if self.disks is unseen:
                continue
            status = node.get("status", {})
            before = status.get("diskStatus", {})
            wanted = {disk: {**seen.status(), **self._on(seen.uuid)} for disk, seen in disks.items() if seen}
            if before != wanted or "conditions" not in status:
                disk_status = {**dict.fromkeys(before), **_replacing(before, wanted)}
                conditions = {} if "conditions" in status else {"conditions": [NODE_READY]}
                change = {"status": {"diskStatus": disk_status, **conditions}}
                self.api.patch("longhorn.io/v1beta2", "Node", name, change, namespace=NAMESPACE, part="/status")

    def _copies(self) -> None:
        if self.copies and self._managers_ready():
            self.copies.move()

    def _on(self, uuid: str) -> Json:
        return self.copies.on(uuid) if self.copies else {}

    def _volumes(self) -> None:
        for claim in self.api.list("v1", "PersistentVolumeClaim"):
            metadata, spec = claim["metadata"], claim["spec"]
            if spec.get("volumeName") or metadata.get("annotations", {}).get(PROVISIONER) != "driver.longhorn.io":
                continue
            name = f"pvc-{metadata['uid']}"
            if self.api.get("v1", "PersistentVolume", name) is None:
                self.api.create(_volume(name, claim))

    def _issuers(self) -> None:
        """As cert-manager's pkg/issuer/ca/setup.go and pkg/issuer/acme/setup.go; whether the authority can be used is not asked."""
        status: Json = (self.api.get("apps/v1", "Deployment", "cert-manager", "cert-manager") or {}).get("status", {})
        if not status.get("readyReplicas"):
            return
        for issuer in self.api.list("cert-manager.io/v1", "ClusterIssuer"):
            metadata, authority = issuer["metadata"], issuer["spec"].get("ca", {}).get("secretName")
            if _ready(issuer) or (authority and self.api.get("v1", "Secret", authority, "cert-manager") is None):
                continue
            condition = {"type": "Ready", "status": "True", "reason": "Played", "message": "", "observedGeneration": 1}
            change = {"status": {"conditions": [{**condition, "lastTransitionTime": metadata["creationTimestamp"]}]}}
            self.api.patch("cert-manager.io/v1", "ClusterIssuer", metadata["name"], change, part="/status")


def _replacing(before: Json, wanted: Json) -> Json:
    """By a merge patch: the copies that are not there any more are taken out."""
    gone = {disk: dict.fromkeys(before.get(disk, {}).get("scheduledReplica", {})) for disk in wanted}
    return {
        disk: {**one, **({"scheduledReplica": {**gone[disk], **one["scheduledReplica"]}} if "scheduledReplica" in one else {})}
        for disk, one in wanted.items()
    }


def _ready(issuer: Json) -> bool:
    return any(one["type"] == "Ready" for one in issuer.get("status", {}).get("conditions", []))


def _volume(name: str, claim: Json) -> Json:
    metadata, spec = claim["metadata"], claim["spec"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": "driver.longhorn.io"}},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "csi": {"driver": "driver.longhorn.io", "volumeHandle": name},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": spec["storageClassName"],
        },
    }
