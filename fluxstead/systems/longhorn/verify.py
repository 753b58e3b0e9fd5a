"""`./run verify --deep`: a copy of a volume is lost and rebuilt; a snapshot is backed up, and the backup is restored and read.

Sources, in longhorn/longhorn-manager: what such an object needs, webhook/resources/{snapshot,backup}/{mutator,validator}.go; what
it says, k8s/pkg/apis/longhorn/v1beta2/{replica,snapshot,backup}.go. A Replica is deleted as Longhorn's own interface does it
(manager/volume.go, DeleteReplica). A class with `fromBackup` restores: csi/util.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping, named
from fluxstead.live.making import make
from fluxstead.live.pods import PODS
from fluxstead.live.procedure import Step, StepState, done, due, fails, waits
from fluxstead.live.resources import CLAIMS, CLASSES, VOLUMES, Resource
from fluxstead.live.verify.place import NAMESPACE, OURS
from fluxstead.live.verify.pods import pod, run_once, spec_of
from fluxstead.live.verify.storage import GROWN, SIZE, Tried
from fluxstead.systems.longhorn.names import MANAGERS
from fluxstead.systems.longhorn.names import PROVISIONER as DRIVER
from fluxstead.systems.longhorn.resources import BACKUPS, KEPT, LIVE, REPLICAS, SNAPSHOTS, TARGETS

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

PROVISIONER = DRIVER
"""Of whose classes more is tried."""
_LOST = "fluxstead/lost-copy"
_TWO = 2
_NO_TARGET = "not tried: there is no backup target that is available"
_GOES = "none is needed: it goes when this ends"


def steps(api: LiveApi, tried: Tried, after: str) -> tuple[Step, ...]:
    """Those of one class of Longhorn's, while an application has the claim, which it has after the step `after`."""
    of = tried.of
    taken, kept = f"{of}: a snapshot is taken", f"{of}: it is backed up"
    return (
        Step(
            f"{of}: a copy is lost, and rebuilt",
            "the day when a disk dies",
            "none is needed: Longhorn makes the next copy, here or later",
            partial(_rebuilt, api, tried),
            partial(_lose, api, tried),
            patience=900,
            after=(after,),
        ),
        Step(
            taken,
            "what is backed up is a snapshot",
            _GOES,
            partial(_taken, api, tried),
            partial(_take, api, tried),
            patience=120,
            after=(after,),
        ),
        Step(kept, "a copy outside the cluster", _GOES, partial(_kept, api, tried), partial(_keep, api, tried), 900, (taken,)),
        Step(
            f"{of}: the backup is restored, and reads as it was written",
            "a backup that nobody restored is a hope",
            _GOES,
            partial(_restored, api, tried),
            partial(_restore, api, tried),
            900,
            (kept,),
        ),
    )


def put_back(api: LiveApi) -> None:
    """What is outside the namespace: the class that restores, and the backup, in its target and in the cluster.

    What the target holds goes first: it is known by the backup alone.
    """
    for one in api.list(CLASSES, labels=_selector()):
        api.delete(CLASSES, named(one).name)
    ours = api.list(BACKUPS, labels=_selector())
    volumes = {str(at(one, ("metadata", "labels", "backup-volume"))) for one in ours}
    for one in api.list(KEPT) if volumes else ():
        # Nothing but these: the volume was made here, and its name is no other's.
        if str(at(one, ("spec", "volumeName")) or named(one).name) in volumes:
            api.delete(KEPT, named(one).name, named(one).namespace)
    for one in ours:
        api.delete(BACKUPS, named(one).name, named(one).namespace)


def _selector() -> str:
    return ",".join(f"{key}={value}" for key, value in OURS.items())


def _home(api: LiveApi) -> str:
    """Longhorn's namespace, where its managers are; empty where there are none."""
    return next((named(one).namespace for one in api.list(PODS, labels=MANAGERS)), "")


def _volume(api: LiveApi, tried: Tried) -> Mapping[str, Any]:
    """Longhorn's volume of the claim; empty where there is none."""
    bound = api.get(VOLUMES, str(at(api.get(CLAIMS, tried.short, NAMESPACE), ("spec", "volumeName"))))
    handle = at(bound, ("spec", "csi", "volumeHandle")) or named(bound or {}).name
    return (api.get(LIVE, str(handle), _home(api)) if handle else None) or {}


def _copies(api: LiveApi, volume: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those that are whole, and not on their way out."""
    found = api.list(REPLICAS, named(volume).namespace, f"longhornvolume={named(volume).name}")
    whole = [one for one in found if at(one, ("spec", "healthyAt")) and not at(one, ("spec", "failedAt"))]
    return [one for one in whole if not mapping(one, "metadata").get("deletionTimestamp")]


def _rebuilt(api: LiveApi, tried: Tried) -> StepState:
    volume = _volume(api, tried)
    wanted = at(volume, ("spec", "numberOfReplicas"))
    if isinstance(wanted, int) and wanted < _TWO:
        return done("not tried: volumes of this class have one copy, and losing it loses them")
    robustness = str(at(volume, ("status", "robustness")) or "not there")
    copies = _copies(api, volume)
    lost = at(volume, ("metadata", "annotations", _LOST))
    whole = robustness == "healthy" and isinstance(wanted, int) and len(copies) >= wanted
    if not lost or any(named(one).name == lost for one in copies):
        return due(f"delete copy {lost or named(copies[0]).name} of {len(copies)}") if whole else _waits(tried, volume, robustness)
    return done(f"{len(copies)} copies again") if whole else _waits(tried, volume, robustness)


def _waits(tried: Tried, volume: Mapping[str, Any], robustness: str) -> StepState:
    return waits(f"volume {named(volume).name} is {robustness}", tried.do)


def _lose(api: LiveApi, tried: Tried) -> None:
    """Never the last: only where as many are whole as are wanted, and that is two or more."""
    volume = _volume(api, tried)
    copies = _copies(api, volume)
    if len(copies) < _TWO:
        return
    lost = str(at(volume, ("metadata", "annotations", _LOST)) or named(copies[0]).name)
    api.merge(LIVE, named(volume).name, {"metadata": {"annotations": {_LOST: lost}}}, named(volume).namespace)
    api.delete(REPLICAS, lost, named(volume).namespace)


def _short(tried: Tried) -> str:
    return f"{NAMESPACE}-{tried.short}"


def _target(api: LiveApi, volume: Mapping[str, Any]) -> str:
    """The volume's target, where it can be used; else empty."""
    name = str(at(volume, ("spec", "backupTargetName")) or "default")
    target = api.get(TARGETS, name, named(volume).namespace)
    usable = at(target, ("spec", "backupTargetURL")) and at(target, ("status", "available")) is True
    return name if usable else ""


def _taken(api: LiveApi, tried: Tried) -> StepState:
    found = api.get(SNAPSHOTS, _short(tried), _home(api))
    if found is None:
        return due("take one")
    if problem := at(found, ("status", "error")):
        return fails(str(problem), tried.do)
    return done() if at(found, ("status", "readyToUse")) is True else waits("it is not ready to be used")


def _take(api: LiveApi, tried: Tried) -> None:
    volume = _volume(api, tried)
    spec = {"volume": named(volume).name, "createSnapshot": True, "labels": OURS}
    _make(api, SNAPSHOTS, "Snapshot", {"name": _short(tried), "namespace": named(volume).namespace}, spec=spec)


def _make(api: LiveApi, resource: Resource, kind: str, metadata: Mapping[str, Any], **rest: Any) -> None:
    version = resource.base.partition("/")[2]
    make(api, resource, {"apiVersion": version, "kind": kind, "metadata": metadata, **rest})


def _kept(api: LiveApi, tried: Tried) -> StepState:
    found = api.get(BACKUPS, _short(tried), _home(api))
    if found is None:
        volume = _volume(api, tried)
        if not volume:
            return waits("its volume is not there yet", tried.do)
        return due("back it up") if _target(api, volume) else done(_NO_TARGET)
    state = at(found, ("status", "state"))
    if state == "Completed":
        return done()
    if state == "Error":
        return fails(str(at(found, ("status", "error")) or "it failed"), "./run doctor; the target and its Secret")
    return waits(f"{at(found, ('status', 'progress')) or 0} % are there")


def _keep(api: LiveApi, tried: Tried) -> None:
    volume = _volume(api, tried)
    labels = {**OURS, "backup-volume": named(volume).name, "backup-target": _target(api, volume)}
    metadata = {"name": _short(tried), "namespace": named(volume).namespace, "labels": labels}
    _make(api, BACKUPS, "Backup", metadata, spec={"snapshotName": _short(tried), "labels": OURS})


def _restored(api: LiveApi, tried: Tried) -> StepState:
    if api.get(BACKUPS, _short(tried), _home(api)) is None:
        return done(_NO_TARGET)
    return run_once(api, _reader(tried), "make a claim of it, and a pod that compares its checksum", tried.do)


def _reader(tried: Tried) -> dict[str, Any]:
    return pod(tried.pod("restored"), spec_of("read.sh", {}, claim=tried.pod("restored")))


def _restore(api: LiveApi, tried: Tried) -> None:
    url = str(at(api.get(BACKUPS, _short(tried), _home(api)), ("status", "url")))
    former = api.get(CLASSES, tried.name) or {}
    parameters = {**mapping(former, "parameters"), "fromBackup": url}
    made: dict[str, Any] = {"provisioner": DRIVER, "parameters": parameters, "reclaimPolicy": "Delete"}
    _make(api, CLASSES, "StorageClass", {"name": _short(tried), "labels": OURS}, **made)
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": _short(tried),
        "resources": {"requests": {"storage": GROWN if tried.grows else SIZE}},
    }
    _make(api, CLAIMS, "PersistentVolumeClaim", {"name": tried.pod("restored"), "namespace": NAMESPACE}, spec=claim)
    make(api, PODS, _reader(tried))
