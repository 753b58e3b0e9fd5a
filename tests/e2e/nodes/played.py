"""What a cluster of these machines has no programs for, played: its DNS, and storage that all machines reach.

Both are the tests' own, say so in each output, and are made to fail on purpose.
"""

from __future__ import annotations

import shutil
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from tests.e2e.cluster.api import Api, Json, RefusedError

from . import played_longhorn
from .spawned import SHARED

DNS_IP = "10.43.0.10"
DOMAIN = ".svc.cluster.local"
SHARED_CLASS, LOCAL_CLASS = "shared", "local"
PLAYED = f"the cluster's DNS; the provisioner of all classes, whose volumes are folders; {played_longhorn.PLAYED}"
_CLASSES: dict[str, Json] = {
    SHARED_CLASS: {"allowVolumeExpansion": True, "volumeBindingMode": "Immediate", "reclaimPolicy": "Retain"},
    LOCAL_CLASS: {"volumeBindingMode": "WaitForFirstConsumer", "reclaimPolicy": "Delete"},
    played_longhorn.CLASS: {"allowVolumeExpansion": True, "volumeBindingMode": "Immediate", "reclaimPolicy": "Delete"},
}
_PROVISIONERS = {SHARED_CLASS: "tests/shared", LOCAL_CLASS: "tests/local", played_longhorn.CLASS: played_longhorn.DRIVER}
_SELECTED = "volume.kubernetes.io/selected-node"


class Dns:
    """Answers for the Services of a cluster by its API (RFC 1035, type A), at port 53 of this network's own address."""

    def __init__(self, api: Api, address: str) -> None:
        self._api = api
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self.answers = True
        for obj in _dns_objects(address):
            api.apply(obj)
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):  # the end of it
            while True:
                query, asker = self._socket.recvfrom(512)
                if self.answers:
                    self._socket.sendto(self._answer(query), asker)

    def _answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        question, kind = query[12 : at + 5], struct.unpack("!H", query[at + 1 : at + 3])[0]
        name = ".".join(labels).lower()
        found = self._address(name)
        code = 0 if found else 3
        answers = [found] if found and kind == 1 else []
        header = query[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(answers), 0, 0)
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 4) + socket.inet_aton(one) for one in answers)
        return header + question + records

    def _address(self, name: str) -> str:
        if not name.endswith(DOMAIN):
            return ""
        service, _, namespace = name.removesuffix(DOMAIN).partition(".")
        with suppress(OSError, RefusedError):
            found = self._api.get("v1", "Service", service, namespace) if namespace else None
            return str(found["spec"]["clusterIP"]) if found else ""
        return ""

    def stop(self) -> None:
        self._socket.close()


def _dns_objects(address: str) -> list[Json]:
    place = {"name": "kube-dns", "namespace": "kube-system"}
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": place, "spec": {"clusterIP": DNS_IP, "ports": ports}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**place, "labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4",
            "ports": ports,
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        },
    ]


class Provisioner:
    """Makes, grows and removes the volumes of its classes, as an external provisioner and resizer do."""

    def __init__(self, api: Api, shared: Path) -> None:
        self._api = api
        self._shared = shared
        self._stop = Event()
        self._classes: dict[str, Json] = {}
        self.idle: set[str] = set()
        self.stuck: set[str] = set()
        self.spoiling: set[str] = set()
        """Classes of which no volume is made, none is grown, and each loses what is written to it."""
        self.longhorn = played_longhorn.Longhorn(api, shared)
        for name, rest in _CLASSES.items():
            place = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
            api.apply({**place, "provisioner": _PROVISIONERS[name], **rest})
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            with suppress(OSError, RefusedError, ValueError):
                self._look()

    def _look(self) -> None:
        self._classes = {one["metadata"]["name"]: one for one in self._api.list("storage.k8s.io/v1", "StorageClass")}
        volumes = {one["metadata"]["name"]: one for one in self._api.list("v1", "PersistentVolume")}
        for claim in self._api.list("v1", "PersistentVolumeClaim"):
            if claim["spec"].get("storageClassName") in self._classes:
                self._provide(claim, volumes)
        for name, volume in volumes.items():
            if volume["spec"]["storageClassName"] in self.spoiling:
                _spoil(self._shared / name)
            gone = volume["status"].get("phase") == "Released"
            if gone and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
                shutil.rmtree(self._shared / name, ignore_errors=True)
                self._api.delete("v1", "PersistentVolume", name)
        self.longhorn.look()

    def _provide(self, claim: Json, volumes: dict[str, Json]) -> None:
        name, asked = f"pvc-{claim['metadata']['uid']}", claim["spec"]["resources"]["requests"]["storage"]
        of_class = claim["spec"]["storageClassName"]
        chosen = claim["metadata"].get("annotations", {}).get(_SELECTED)
        if name not in volumes:
            if of_class not in self.idle and (chosen or of_class != LOCAL_CLASS):
                self._make(claim, name, asked, chosen if of_class == LOCAL_CLASS else None)
        elif (
            of_class not in self.stuck
            and claim["status"].get("phase") == "Bound"
            and claim["status"]["capacity"]["storage"] != asked
        ):
            place = claim["metadata"]
            self._api.patch("v1", "PersistentVolume", name, {"spec": {"capacity": {"storage": asked}}})
            change: Json = {"status": {"capacity": {"storage": asked}}}
            self._api.patch("v1", "PersistentVolumeClaim", place["name"], change, namespace=place["namespace"], part="/status")

    def _make(self, claim: Json, name: str, asked: str, machine: str | None) -> None:
        folder, place = self._shared / name, claim["metadata"]
        of_class = self._classes[claim["spec"]["storageClassName"]]
        former = self.longhorn.restored_from(of_class.get("parameters") or {})
        if former:
            shutil.copytree(former, folder)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        spec: Json = {
            "capacity": {"storage": asked},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": of_class["reclaimPolicy"],
            "storageClassName": of_class["metadata"]["name"],
            "claimRef": {"namespace": place["namespace"], "name": place["name"], "uid": place["uid"]},
            "hostPath": {"path": f"{SHARED}/{name}", "type": "Directory"},
        }
        if machine:
            term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [machine]}]}
            spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [term]}}
        metadata = {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": of_class["provisioner"]}}
        self._api.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec})

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)


def _spoil(folder: Path) -> None:
    content = folder / "content"
    if (folder / "content.sha256").exists() and content.stat().st_size:
        content.write_bytes(b"")


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait until this is so."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.3)
