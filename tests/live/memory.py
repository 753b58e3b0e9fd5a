"""An API in memory, for procedures: objects by kind, their versions, and calls that are cut off or get no answer."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fluxstead.live.clock import Clock
from fluxstead.live.resources import Conflict, Refused, Resource

Json = dict[str, Any]


class CutOff(BaseException):
    """The program was killed here."""


class MemoryApi:
    """What procedures use of a cluster. `before`: called before every call, and may raise; `after`: when it was carried out.

    `holds`: whether an object stays for now though somebody deletes it, as finalizers keep it.
    """

    server = "memory"

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Json] = {}
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None
        self.on_delete: Callable[[Resource, Json], None] = lambda *_: None
        self.holds: Callable[[Resource, Json], bool] = lambda *_: False
        self.written: list[str] = []
        self.counts: dict[str, Json] = {}
        self._numbers = itertools.count(1)

    def put(self, resource: Resource, obj: Mapping[str, Any]) -> Json:
        """As somebody else does it."""
        kept = copy.deepcopy(dict(obj))
        metadata = kept.setdefault("metadata", {})
        metadata.setdefault("uid", f"uid-{next(self._numbers)}")
        metadata["resourceVersion"] = str(next(self._numbers))
        self.objects[self._key(resource, metadata)] = kept
        return copy.deepcopy(kept)

    @staticmethod
    def _key(resource: Resource, metadata: Mapping[str, Any]) -> tuple[str, str, str]:
        return f"{resource.base}/{resource.plural}", str(metadata.get("namespace", "")), str(metadata["name"])

    def get(self, resource: Resource, name: str, namespace: str = "") -> Json | None:
        self.before(f"get {resource.plural}")
        return copy.deepcopy(self.objects.get(self._key(resource, {"name": name, "namespace": namespace})))

    def list(self, resource: Resource, namespace: str = "", labels: str = "") -> Sequence[Json]:
        self.before(f"list {resource.plural}")
        kind = f"{resource.base}/{resource.plural}"
        found = [obj for (of, where, _), obj in self.objects.items() if of == kind and (not namespace or where == namespace)]
        wanted = dict(one.split("=") for one in labels.split(",") if one)
        has = [obj for obj in found if wanted.items() <= obj["metadata"].get("labels", {}).items()]
        return copy.deepcopy(has)

    def create(self, resource: Resource, obj: Mapping[str, Any], *, dry_run: bool = False) -> Json:
        if dry_run:
            self.before(f"try {resource.plural}")
            return dict(obj)
        self._writing("create", resource, obj)
        if self._key(resource, obj["metadata"]) in self.objects:
            raise Conflict("it exists")
        made = self.put(resource, obj)
        self.after(f"create {resource.plural}")
        return made

    def replace(self, resource: Resource, obj: Mapping[str, Any]) -> Json:
        self._writing("replace", resource, obj)
        now = self.objects.get(self._key(resource, obj["metadata"]))
        if now is None:
            raise Refused("it is not there")
        if now["metadata"]["resourceVersion"] != obj["metadata"].get("resourceVersion"):
            raise Conflict("it was changed")
        made = self.put(resource, obj)
        self.after(f"replace {resource.plural}")
        return made

    def merge(self, resource: Resource, name: str, change: Mapping[str, Any], namespace: str = "") -> None:
        metadata = {"name": name, "namespace": namespace}
        self._writing("merge", resource, {"metadata": metadata})
        now = self.objects.get(self._key(resource, metadata))
        if now is None:
            raise Refused(f"there is no {name}")
        self.put(resource, _merged(now, change))
        self.after(f"merge {resource.plural}")

    def delete(self, resource: Resource, name: str, namespace: str = "", *, uid: str = "", at_once: bool = False) -> None:
        del at_once
        metadata = {"name": name, "namespace": namespace}
        self._writing("delete", resource, {"metadata": metadata})
        now = self.objects.get(self._key(resource, metadata))
        if now and uid and now["metadata"]["uid"] != uid:
            raise Conflict("another one has its name")
        if now and self.holds(resource, now):
            now["metadata"]["deletionTimestamp"] = "2026-11-27T23:00:00Z"
        elif now:
            self.drop(resource, now)
        self.after(f"delete {resource.plural}")

    def drop(self, resource: Resource, obj: Mapping[str, Any]) -> None:
        """It is gone."""
        self.on_delete(resource, self.objects.pop(self._key(resource, obj["metadata"])))

    def stats(self, machine: str) -> Json:
        self.before(f"stats {machine}")
        return self.counts.get(machine, {})

    def pages(self, resource: Resource) -> Sequence[Json]:
        return self.list(resource)

    def _writing(self, verb: str, resource: Resource, obj: Mapping[str, Any]) -> None:
        self.before(f"{verb} {resource.plural}")
        self.written.append(f"{verb} {resource.plural} {obj['metadata']['name']}")


def _merged(obj: Mapping[str, Any], change: Mapping[str, Any]) -> Json:
    made = dict(obj)
    for key, value in change.items():
        if value is None:
            made.pop(key, None)
        elif isinstance(value, Mapping):
            made[key] = _merged(made.get(key) or {}, value)
        else:
            made[key] = value
    return made


class Hours(Clock):
    """A clock that goes on when somebody waits, and says so."""

    def __init__(self, passing: Callable[[float], object] = lambda _: None) -> None:
        self.at = 0.0
        self._passing = passing

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self._passing(self.at)
