"""Longhorn's part when a disk is emptied, played: a copy is made elsewhere, and then the one there goes; images after the volumes.

After longhorn-manager's controller/replica_controller.go and volume_controller.go (EvictionRequested), and its webhook, which
refuses what webhook/resources/node/validator.go refuses of disks.
"""

from __future__ import annotations

from typing import Any

from fluxstead.live.leaving import DiskLeaves
from fluxstead.live.procedure import Step, StepState, done, due
from fluxstead.live.resources import Refused, Resource
from tests.live.memory import Hours, Json, MemoryApi
from tests.live.world import condition

API = "apis/longhorn.io/v1beta2"
NODES, VOLUMES, REPLICAS = (Resource(API, name) for name in ("nodes", "volumes", "replicas"))
SETTINGS = Resource(API, "settings")
SPACE, GIB, MOVES = "longhorn-system", 1 << 30, 20


class Disks:
    """Machines with disks, volumes with copies. Each copy takes a while to move."""

    def __init__(self, **machines: tuple[str, ...]) -> None:
        self.api = MemoryApi()
        self.clock = Hours(self._pass)
        self.images: dict[str, list[str]] = {}
        self._next: float = MOVES
        self.kept_by_another = False
        for machine, disks in machines.items():
            spec: Json = {"allowScheduling": True, "tags": [], "disks": {disk: self.declared(disk) for disk in disks}}
            node = {"metadata": {"name": machine, "namespace": SPACE}, "spec": spec, "status": {"conditions": [condition("Ready")]}}
            self.api.put(NODES, node)
        self.look()

    @staticmethod
    def declared(disk: str) -> Json:
        return {"path": f"/mnt/{disk}", "allowScheduling": True, "evictionRequested": False, "storageReserved": 0, "tags": ["hdd"]}

    def node(self, machine: str) -> Any:
        """Longhorn's Node, to be changed by somebody else."""
        return self.api.objects[(f"{API}/nodes", SPACE, machine)]

    def volume(self, name: str, *places: tuple[str, str], size: int = 10, tags: tuple[str, ...] = (), **more: Any) -> None:
        """A volume with a copy on each of these disks."""
        spec = {"size": str(size * GIB), "numberOfReplicas": len(places), "diskSelector": list(tags), **more}
        metadata = {"name": name, "namespace": SPACE}
        self.api.put(VOLUMES, {"metadata": metadata, "spec": spec, "status": {"robustness": "healthy", "actualSize": GIB}})
        for number, (machine, disk) in enumerate(places):
            self._copy(f"{name}-r{number}", name, machine, disk)
        self.look()

    def _copy(self, name: str, volume: str, machine: str, disk: str) -> None:
        spec = {"volumeName": volume, "nodeID": machine, "diskID": f"{machine}/{disk}"}
        self.api.put(REPLICAS, {"metadata": {"name": name, "namespace": SPACE}, "spec": spec})

    def set(self, name: str, value: str) -> None:
        """A setting of Longhorn's."""
        self.api.put(SETTINGS, {"metadata": {"name": name, "namespace": SPACE}, "value": value})

    def on(self, machine: str, disk: str) -> list[str]:
        """The volumes with a copy there."""
        return sorted(one["spec"]["volumeName"] for one in self._copies() if one["spec"]["diskID"] == f"{machine}/{disk}")

    def _copies(self) -> list[Json]:
        return [one for (kind, *_), one in self.api.objects.items() if kind == f"{API}/replicas"]

    def look(self) -> None:
        """The managers say what is on their disks."""
        for node in [one for (kind, *_), one in self.api.objects.items() if kind == f"{API}/nodes"]:
            machine, before = node["metadata"]["name"], node["status"].get("diskStatus", {})
            status = {}
            for disk in node["spec"]["disks"]:
                uuid = f"{machine}/{disk}"
                there = {one["metadata"]["name"]: 10 * GIB for one in self._copies() if one["spec"]["diskID"] == uuid}
                status[disk] = {
                    "diskUUID": uuid,
                    "conditions": before.get(disk, {}).get("conditions", [condition("Ready"), condition("Schedulable")]),
                    "scheduledReplica": there,
                    "scheduledBackingImage": dict.fromkeys(self.images.get(uuid, []), GIB),
                    "storageScheduled": sum(there.values()),
                    "storageMaximum": before.get(disk, {}).get("storageMaximum", 100 * GIB),
                    "storageAvailable": 90 * GIB,
                }
            node["status"]["diskStatus"] = status

    def _pass(self, now: float) -> None:
        if now >= self._next:
            self._next = now + MOVES
            self._move()
        self.look()

    def _move(self) -> None:
        """One thing on a disk that is to be emptied: to the first other disk that takes copies."""
        disks = [
            (node["metadata"]["name"], name, disk)
            for (kind, *_), node in self.api.objects.items()
            if kind == f"{API}/nodes"
            for name, disk in node["spec"]["disks"].items()
        ]
        takers = [(machine, name) for machine, name, disk in disks if disk["allowScheduling"]]
        for machine, name, disk in disks:
            uuid = f"{machine}/{name}"
            there = [one for one in self._copies() if one["spec"]["diskID"] == uuid]
            if disk["evictionRequested"] and there and takers:
                old = there[0]
                metadata = old["metadata"]
                self._copy(f"{metadata['name']}-moved", old["spec"]["volumeName"], *takers[-1])
                del self.api.objects[(f"{API}/replicas", SPACE, metadata["name"])]
                return
            if disk["evictionRequested"] and self.images.get(uuid):
                self.images[uuid].pop()
                return

    def leaves(self, machine: str, disk: str, *, described: bool = True) -> DiskLeaves:
        """A disk that is to leave; what the description and Flux do of it is one step each."""
        api: Any = self.api
        emptied = Step("described with evict", "", "", lambda: self._is_emptied(machine, disk), lambda: self._empty(machine, disk))
        removed = Step("described no more", "", "", lambda: self._is_removed(machine, disk), lambda: self._remove(machine, disk))
        return DiskLeaves(api, f"disk leave {machine} {disk}", machine, disk, described, [emptied], [removed])

    def _is_emptied(self, machine: str, disk: str) -> StepState:
        found = self.node(machine)["spec"]["disks"].get(disk)
        return done() if found is None or found["evictionRequested"] else due("write evict")

    def _empty(self, machine: str, disk: str) -> None:
        self.api.before("flux")
        self.node(machine)["spec"]["disks"][disk] |= {"allowScheduling": False, "evictionRequested": True}
        self.api.after("flux")

    def _is_removed(self, machine: str, disk: str) -> StepState:
        return done() if self.kept_by_another or disk not in self.node(machine)["spec"]["disks"] else due("take it out")

    def _remove(self, machine: str, disk: str) -> None:
        self.api.before("flux")
        found = self.node(machine)
        if found["spec"]["disks"][disk]["allowScheduling"] or found["status"]["diskStatus"][disk]["storageScheduled"]:
            raise Refused("Please disable the disk and remove all replicas and backing images first")
        del found["spec"]["disks"][disk]
        self.api.after("flux")
