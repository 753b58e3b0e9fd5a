"""A small Longhorn for procedures, played: managers that come back when they are deleted, rebuilds that end, disks with UUIDs.

It is a model of the tests' own, of what Kubernetes' DaemonSet controller and longhorn-manager do, not of all that they can do.
"""

from __future__ import annotations

from typing import Any

from fluxstead.live.pods import PODS
from fluxstead.live.resources import MACHINES, Resource
from tests.live.memory import Hours, Json, MemoryApi
from tests.live.world import condition

API = "apis/longhorn.io/v1beta2"
ENGINES, NODES = Resource(API, "engines"), Resource(API, "nodes")
SPACE = "longhorn-system"
COMES, STARTS = 3, 8
"""Seconds until the next pod is there, and until it is ready."""


class Longhorn:
    """Machines, each with a manager, and one engine that may be rebuilding."""

    def __init__(self, *machines: str) -> None:
        self.api = MemoryApi()
        self.api.on_delete = self._deleted
        self.clock = Hours(self._pass)
        self._due: list[tuple[float, Json]] = []
        self._made = 0
        for machine in machines:
            ready: Json = {"conditions": [condition("Ready")]}
            self.api.put(MACHINES, {"metadata": {"name": machine}, "status": ready})
            disks = {
                "spec": {"disks": {"d1": {"path": "/mnt/d1"}}},
                "status": {**ready, "diskStatus": {"d1": {"diskUUID": "u", **ready}}},
            }
            self.api.put(NODES, {"metadata": {"name": machine, "namespace": SPACE}, **disks})
            self.api.put(PODS, self._pod(machine, ready="True"))
        self.rebuild(until=0)

    def _pod(self, machine: str, ready: str) -> Json:
        self._made += 1
        metadata = {"name": f"longhorn-manager-{self._made}", "namespace": SPACE, "labels": {"app": "longhorn-manager"}}
        return {"metadata": metadata, "spec": {"nodeName": machine}, "status": {"conditions": [condition("Ready", ready)]}}

    def rebuild(self, until: float) -> None:
        """Have a volume be rebuilt until then."""
        self._rebuilt = until
        self._engine()

    def _engine(self) -> None:
        busy = self.clock.at < self._rebuilt
        status: Json = {"replicaModeMap": {"r1": "RW", "r2": "WO" if busy else "RW"}}
        status["rebuildStatus"] = {"tcp://10.42.0.9:10000": {"isRebuilding": busy, "progress": 34}}
        self.api.put(ENGINES, {"metadata": {"name": "e1", "namespace": SPACE}, "spec": {"volumeName": "pvc-1"}, "status": status})

    def _deleted(self, resource: Resource, obj: Json) -> None:
        if resource == PODS:
            self._due.append((self.clock.at + COMES, self._pod(obj["spec"]["nodeName"], ready="False")))

    def _pass(self, now: float) -> None:
        self._engine()
        for at, pod in [one for one in self._due if one[0] <= now]:
            self._due.remove((at, pod))
            self.api.put(PODS, pod)
            if pod["status"]["conditions"][0]["status"] == "False":
                started = {**pod, "status": {"conditions": [condition("Ready")]}}
                self._due.append((at + STARTS, started))

    @property
    def deleted(self) -> list[str]:
        """The pods that somebody had go."""
        return [line.rpartition(" ")[2] for line in self.api.written if line.startswith("delete pods")]

    def manager(self, machine: str) -> Any:
        """The manager's pod on a machine."""
        return next((one for one in self.api.list(PODS, labels="app=longhorn-manager") if one["spec"]["nodeName"] == machine), None)
