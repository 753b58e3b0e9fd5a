"""Whether the copies on a disk have somewhere to go, as Longhorn's scheduler would place them.

longhorn-manager: scheduler/replica_scheduler.go, getDiskCandidates and IsSchedulableToDisk; a copy that is moved may go to another
disk of its own machine, as nodes with nothing but evicted copies count as free there. types/setting.go: the settings' defaults.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from fluxstead.core.shape import at, mapping, named
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.resources import Resource
from fluxstead.systems.longhorn.live.kinds import whole
from fluxstead.systems.longhorn.live.node import NODE
from fluxstead.systems.longhorn.names import API
from fluxstead.systems.longhorn.resources import LIVE, REPLICAS

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_SETTINGS = Resource(API, "settings")
_GIB = 1 << 30


@dataclass(slots=True)
class _Place:
    """A disk that takes copies. `free`: bytes that may still be promised; `real`: those that may still be written."""

    machine: str
    uuid: str
    tags: frozenset[str]
    machine_tags: frozenset[str]
    free: int
    real: int


class Nowhere(NamedTuple):
    """A copy that no disk takes: of which volume, why, and what would help."""

    volume: str
    why: str
    help: str


def nowhere_to_go(api: LiveApi, machine: str, disk: str) -> Iterator[Nowhere]:
    """Each copy on the disk that could not be moved, if all others are."""
    settings = {named(one).name: str(one.get("value", "")) for one in api.list(_SETTINGS)}
    nodes = api.list(NODE.resource)
    uuid = next((_uuid(one, disk) for one in nodes if named(one).name == machine), "")
    copies = api.list(REPLICAS)
    volumes = {named(one).name: one for one in api.list(LIVE)}
    places = list(_places(nodes, machine, disk, settings))
    leaving = [
        name for one in copies if uuid and _of(one, "diskID") == uuid for name in [_of(one, "volumeName")] if name in volumes
    ]
    others = {
        name: [one for one in copies if _of(one, "volumeName") == name and _of(one, "diskID") not in {uuid, ""}] for name in leaving
    }

    def rooms(name: str) -> Sequence[_Place] | Nowhere:
        return _rooms(volumes[name], others[name], places, settings)

    def choice(name: str) -> tuple[int, int]:
        found = rooms(name)
        return 0 if isinstance(found, Nowhere) else len(found), -_size(volumes[name])

    # Who has the least choice first: else what could go anywhere takes their place.
    for name in sorted(leaving, key=choice):
        found = rooms(name)
        if isinstance(found, Nowhere):
            yield found
        else:
            best = max(found, key=lambda one: one.free)
            best.free -= _size(volumes[name])
            best.real -= _actual(volumes[name])


def _rooms(
    volume: Mapping[str, Any], others: Sequence[Mapping[str, Any]], places: Sequence[_Place], settings: Mapping[str, str]
) -> Sequence[_Place] | Nowhere:
    """Where a copy may go, beside the `others` of its volume; each place that takes none falls out at the first of the limits."""
    name, spec = named(volume).name, mapping(volume, "spec")
    if mapping(volume, "status").get("robustness") == "faulted":
        return Nowhere(name, "no copy of it can be read", f"./run doctor, which says more of volume {name}")
    wanted, of_machine = _words(spec, "diskSelector"), _words(spec, "nodeSelector")
    tagged = [one for one in places if _suits(one, wanted, of_machine, settings)]
    tags = f" with {' and '.join(sorted(wanted | of_machine))}" if wanted | of_machine else ""
    here = {_of(one, "nodeID") for one in others}
    apart = [one for one in tagged if _soft(spec, "replicaSoftAntiAffinity", settings, usual="false") or one.machine not in here]
    full = {_of(one, "diskID") for one in others}
    alone = [one for one in apart if _soft(spec, "replicaDiskSoftAntiAffinity", settings, usual="true") or one.uuid not in full]
    room = [one for one in alone if one.free >= _size(volume) and one.real > _actual(volume)]
    if room:
        return room
    fewer = f"kubectl -n {named(volume).namespace} patch volumes.longhorn.io {name} --type merge -p '{_FEWER}'"
    size = f"{_size(volume) / _GIB:.0f} GiB"
    if not tagged:
        return Nowhere(name, f"no other disk{tags} takes copies", f"another disk{tags} and {size} of room")
    if not alone:
        why = f"every other machine or disk{tags} has a copy of it already"
        return Nowhere(
            name, why, f"a disk{tags} on another machine; or a copy less: {fewer % (whole(spec.get('numberOfReplicas')) - 1)}"
        )
    return Nowhere(name, f"no other disk{tags} has {size} of room", f"{size} of room on one, or another disk{tags}")


_FEWER = '{"spec": {"numberOfReplicas": %d}}'


def _places(nodes: Sequence[Mapping[str, Any]], machine: str, disk: str, settings: Mapping[str, str]) -> Iterator[_Place]:
    over, least = (
        _number(settings, "storage-over-provisioning-percentage", 100),
        _number(settings, "storage-minimal-available-percentage", 25),
    )
    for node in nodes:
        spec, status, name = mapping(node, "spec"), mapping(node, "status"), named(node).name
        if (
            spec.get("allowScheduling") is False
            or not _is(status, "Ready")
            or conditions_of(status).get("Schedulable", UNSAID).status == "False"
        ):
            continue
        for key in mapping(spec, "disks"):
            declared, seen = mapping(mapping(spec, "disks"), key), mapping(mapping(status, "diskStatus"), key)
            takes = declared.get("allowScheduling") is True and declared.get("evictionRequested") is not True
            if (name, key) == (machine, disk) or not takes or not (_is(seen, "Ready") and _is(seen, "Schedulable")):
                continue
            maximum, reserved = whole(seen.get("storageMaximum")), whole(declared.get("storageReserved"))
            free = max(0, maximum - reserved) * over // 100 - whole(seen.get("storageScheduled"))
            real = whole(seen.get("storageAvailable")) - maximum * least // 100
            yield _Place(name, str(seen.get("diskUUID") or ""), _words(declared, "tags"), _words(spec, "tags"), free, real)


def _suits(place: _Place, wanted: frozenset[str], of_machine: frozenset[str], settings: Mapping[str, str]) -> bool:
    """Volumes that ask for no tag go to tagged disks as well, unless the settings say otherwise."""
    disk = wanted <= place.tags and (wanted or not place.tags or settings.get("allow-empty-disk-selector-volume") != "false")
    machine = of_machine <= place.machine_tags and (
        of_machine or not place.machine_tags or settings.get("allow-empty-node-selector-volume") != "false"
    )
    return bool(disk and machine)


def copies_on(api: LiveApi, node: Mapping[str, Any], disk: str) -> Mapping[str, list[str]]:
    """What is on a disk: the copies of each volume, and the backing images, by what they are of."""
    found: dict[str, list[str]] = defaultdict(list)
    seen, uuid = mapping(mapping(mapping(node, "status"), "diskStatus"), disk), _uuid(node, disk)
    volumes = {named(one).name: _of(one, "volumeName") for one in api.list(REPLICAS) if uuid and _of(one, "diskID") == uuid}
    for name in {**volumes, **mapping(seen, "scheduledReplica")}:
        found[f"volume {volumes.get(name) or name}"].append(name)
    for name in mapping(seen, "scheduledBackingImage"):
        found[f"backing image {name}"].append(name)
    return found


def _uuid(node: Mapping[str, Any], disk: str) -> str:
    return str(at(node, ("status", "diskStatus", disk, "diskUUID")) or "")


def _of(copy: Mapping[str, Any], key: str) -> str:
    return str(mapping(copy, "spec").get(key) or "")


def _is(status: Mapping[str, Any], kind: str) -> bool:
    return conditions_of(status).get(kind, UNSAID).status == "True"


def _words(data: Mapping[str, Any], key: str) -> frozenset[str]:
    found = data.get(key)
    return frozenset(map(str, found)) if isinstance(found, list) else frozenset()


def _size(volume: Mapping[str, Any]) -> int:
    """Whole bytes, which the API has as text."""
    said = str(mapping(volume, "spec").get("size", ""))
    return int(said) if said.isdecimal() else 0


def _actual(volume: Mapping[str, Any]) -> int:
    return whole(mapping(volume, "status").get("actualSize"))


def _soft(spec: Mapping[str, Any], key: str, settings: Mapping[str, str], *, usual: str) -> bool:
    """Whether copies may share a machine, or a disk: what the volume says, else the setting of that name."""
    own = spec.get(key)
    setting = {"replicaSoftAntiAffinity": "replica-soft-anti-affinity"}.get(key, "replica-disk-soft-anti-affinity")
    return own == "enabled" or (own != "disabled" and settings.get(setting, usual) == "true")


def _number(settings: Mapping[str, str], name: str, usual: int) -> int:
    said = settings.get(name, "")
    return int(said) if said.isdecimal() else usual
