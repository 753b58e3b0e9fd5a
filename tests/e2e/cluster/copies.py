"""A stand-in for what Longhorn's managers do with the copies of volumes: a disk that is to be emptied gets empty, copy by copy.

As longhorn-manager does it, without the data: of a Replica that is to be evicted another one is made where copies are taken, and
the old one goes once that one is there (controller/volume_controller.go, EvictionRequested in replenishReplicas and
cleanupEvictionRequestedReplicas); what a disk's status says is on it: controller/node_controller.go, syncDiskStatus.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.e2e.cluster.api import Api, Json

NAMESPACE = "longhorn-system"
REPLICA, VOLUME = ("longhorn.io/v1beta2", "Replica"), ("longhorn.io/v1beta2", "Volume")
GIB = 1 << 30
SIZE = 10 * GIB


@dataclass
class Copies:
    """The copies in a cluster. `moves`: whether they are moved now."""

    api: Api
    moves: bool = True

    def volume(self, name: str, node: str, uuid: str) -> None:
        """A volume with one copy."""
        spec = {"size": str(SIZE), "numberOfReplicas": 1, "frontend": "blockdev"}
        status = {"robustness": "healthy", "state": "attached", "actualSize": GIB}
        self.api.create(_made(VOLUME, name, spec, status))
        self._copy(f"{name}-r", name, node, uuid)

    def on(self, uuid: str) -> Json:
        """What a disk's status says of the copies on it, and of its room."""
        there = {one["metadata"]["name"]: SIZE for one in self._all() if one["spec"]["diskID"] == uuid}
        promised = SIZE * len(there)
        room = {"storageScheduled": promised, "storageMaximum": 465 * GIB, "storageAvailable": 400 * GIB}
        return {"scheduledReplica": there, "scheduledBackingImage": {}, **room}

    def move(self) -> None:
        """One copy of each disk that is to be emptied, to another one."""
        if not self.moves:
            return
        nodes = self.api.list("longhorn.io/v1beta2", "Node", NAMESPACE)
        disks = [
            (node["metadata"]["name"], disk, node.get("status", {}).get("diskStatus", {}).get(key, {}).get("diskUUID", ""))
            for node in nodes
            for key, disk in node["spec"].get("disks", {}).items()
        ]
        takers = [(machine, uuid) for machine, disk, uuid in disks if disk.get("allowScheduling") and uuid]
        emptied = {uuid for _, disk, uuid in disks if disk.get("evictionRequested") and uuid}
        for old in [one for one in self._all() if one["spec"]["diskID"] in emptied][:1] if takers else ():
            name = old["metadata"]["name"]
            self._copy(f"{name}m", old["spec"]["volumeName"], *takers[0])
            self.api.delete(*REPLICA, name, NAMESPACE)

    def _all(self) -> list[Json]:
        found: list[Json] = self.api.list(*REPLICA, NAMESPACE)
        return found

    def _copy(self, name: str, volume: str, node: str, uuid: str) -> None:
        self.api.create(_made(REPLICA, name, {"volumeName": volume, "nodeID": node, "diskID": uuid}, {}))


def _made(kind: tuple[str, str], name: str, spec: Json, status: Json) -> Json:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, "spec": spec, "status": status}
