"""Directories of copies, and processes, that no volume of Longhorn's has any more.

Sources: longhorn/longhorn-manager k8s/pkg/apis/longhorn/v1beta2/orphan.go: types and parameters; controller/orphan_controller.go:
with an Orphan, its data is deleted. longhorn/website: content/kb, restoring a volume from such a directory. That Longhorn deletes
them by itself is not advised here: a cluster that was built anew finds its former volumes as orphans.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping, named
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import LiveTrouble, Subject
from fluxstead.systems.longhorn.live.kinds import shown
from fluxstead.systems.longhorn.names import API

_DATA = "replica"


class LiveOrphan(NamedTuple):
    """An Orphan. `what`: the directory, or the process. `is_data`: whether deleting it deletes data."""

    namespace: str
    machine: str
    what: str
    is_data: bool


def _orphan(obj: Mapping[str, Any]) -> LiveOrphan:
    spec, place = mapping(obj, "spec"), named(obj)
    said = mapping(spec, "parameters")
    where, directory = said.get("DiskPath"), said.get("DataName")
    is_data = spec.get("orphanType") == _DATA
    what = f"{where}/replicas/{directory}" if is_data else str(said.get("InstanceName") or place.name)
    return LiveOrphan(place.namespace, str(spec.get("nodeID", "")), what, is_data)


ORPHAN = Kind(Resource(API, "orphans"), _orphan)


def orphans(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Of each machine, what is left there."""
    del expected
    found = defaultdict[tuple[str, bool], list[LiveOrphan]](list)
    for one in facts.of(ORPHAN):
        found[one.machine, one.is_data].append(one)
    for (machine, is_data), of in sorted(found.items()):
        yield _data(machine, of) if is_data else _processes(machine, of)


def _data(machine: str, of: list[LiveOrphan]) -> LiveTrouble:
    kubectl = f"kubectl -n {of[0].namespace}"
    return LiveTrouble(
        Subject("orphans on", machine),
        f"are {len(of)} directories of copies that no volume has: {shown(one.what for one in of)}",
        "they take room, and may be the only data of a volume that is gone",
        f"first whether each volume is healthy, or in a backup: {kubectl} get volumes.longhorn.io,backupvolumes.longhorn.io; "
        f"then {kubectl} get orphans.longhorn.io, and delete those: their data goes with them",
        gravity="warning",
    )


def _processes(machine: str, of: list[LiveOrphan]) -> LiveTrouble:
    kubectl = f"kubectl -n {of[0].namespace}"
    return LiveTrouble(
        Subject("left-over processes on", machine),
        f"are {len(of)} of engines or copies that Longhorn no longer has there: {shown(one.what for one in of)}",
        "they take memory and ports, and nothing else",
        f"{kubectl} get orphans.longhorn.io; delete those of the types engine-instance and replica-instance",
        gravity="warning",
    )


RULES = (LiveRule(orphans, (ORPHAN,)),)
