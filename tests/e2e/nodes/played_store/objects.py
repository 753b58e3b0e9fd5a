"""Longhorn's objects in a cluster, as its controllers read and write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.e2e.cluster.api import NOT_FOUND, Api, Json, RefusedError

SPACE, VERSION, DRIVER = "longhorn-system", "longhorn.io/v1beta2", "driver.longhorn.io"
FINALIZER = "longhorn.io"
CR_ONLY = "longhorn.io/delete-custom-resource-only"
OF_TARGET, OF_VOLUME = "backup-target", "backup-volume"
"""Labels (types/types.go)."""


class Objects:
    """Those of Longhorn's namespace, by kind and name."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def all(self, kind: str) -> dict[str, Json]:
        """All of a kind, by their names."""
        return {one["metadata"]["name"]: one for one in self.api.list(VERSION, kind, SPACE)}

    def one(self, kind: str, name: str) -> Json | None:
        """One; None where there is none."""
        return self.api.get(VERSION, kind, name, SPACE) if name else None

    def make(
        self, kind: str, name: str, spec: Json, *, labels: Mapping[str, str] | None = None, owner: Mapping[str, Any] | None = None
    ) -> Json:
        """Create one, as somebody's where there is an `owner`."""
        metadata: Json = {"name": name, "namespace": SPACE, "labels": dict(labels or {})}
        if owner:
            metadata["ownerReferences"] = [reference(owner)]
        return self.api.create({"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec})

    def change(self, obj: Json, change: Json) -> None:
        """Merge something into its metadata or its spec."""
        self.api.patch(VERSION, obj["kind"], obj["metadata"]["name"], change, namespace=SPACE)

    def say(self, obj: Json, **status: Any) -> None:
        """Merge something into its status; nothing is written where it says so already."""
        had = obj.setdefault("status", {})
        new = {key: value for key, value in status.items() if had.get(key) != value}
        if new:
            had.update(new)
            self.api.patch(VERSION, obj["kind"], obj["metadata"]["name"], {"status": new}, namespace=SPACE, part="/status")

    def delete(self, obj: Json, *, only_here: bool = False) -> None:
        """Delete one. `only_here`: what the store has of it stays."""
        with gone_is_well():
            if only_here:
                self.change(obj, {"metadata": {"labels": {CR_ONLY: "true"}}})
            self.api.delete(VERSION, obj["kind"], obj["metadata"]["name"], SPACE)

    def let_go(self, obj: Json) -> None:
        """Take the finalizer from what is on its way out."""
        with gone_is_well():
            self.change(obj, {"metadata": {"finalizers": None}})

    def event(self, about: Json, reason: str, message: str, *, kind: str = "Warning", source: str = DRIVER) -> None:
        """What controllers say in passing."""
        metadata, moment = about["metadata"], now()
        place = metadata.get("namespace", "default")
        involved: Json = {key: about[key] for key in ("apiVersion", "kind") if key in about}
        involved |= {"namespace": place, "name": metadata["name"], "uid": metadata["uid"]}
        body = {"involvedObject": involved, "reason": reason, "message": message, "type": kind, "source": {"component": source}}
        named = {"generateName": f"{metadata['name']}.", "namespace": place}
        times = {"firstTimestamp": moment, "lastTimestamp": moment, "count": 1}
        self.api.ask("POST", f"/api/v1/namespaces/{place}/events", {"metadata": named, **body, **times})


def reference(owner: Mapping[str, Any]) -> Json:
    """Whose it is, for Kubernetes to remove it with its owner."""
    metadata = owner["metadata"]
    return {"apiVersion": VERSION, "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"]}


@contextmanager
def gone_is_well() -> Iterator[None]:
    """Where somebody else was faster."""
    try:
        yield
    except RefusedError as refused:
        if refused.status != NOT_FOUND:
            raise


def now() -> str:
    """This moment, as all that is written has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def with_condition(
    conditions: Iterable[Mapping[str, Any]], kind: str, status: str, reason: str = "", message: str = ""
) -> list[Json]:
    """The conditions with one set (types/condition.go, SetCondition)."""
    kept = [dict(one) for one in conditions]
    said = {"type": kind, "status": status, "reason": reason, "message": message}
    for one in kept:
        if one["type"] == kind:
            one |= {**said, **({} if one["status"] == status else {"lastTransitionTime": now()})}
            return kept
    return [*kept, {**said, "lastProbeTime": "", "lastTransitionTime": now()}]


def is_going(obj: Json) -> bool:
    """Whether it is on its way out."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def labels_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """Its labels."""
    return dict(obj["metadata"].get("labels") or {})


def status_of(obj: Json | None) -> Json:
    """What is said of it."""
    return dict((obj or {}).get("status") or {})
