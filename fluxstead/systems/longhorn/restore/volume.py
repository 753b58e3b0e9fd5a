"""A volume from a backup, and the PersistentVolume by which one claim, and no other, gets it.

Sources, in longhorn/longhorn-manager: webhook/resources/volume/{mutator,validator}.go, what such a Volume needs (a Backup that is
known, whose size it takes); csi/util.go, how a class's parameters become a volume's fields; controller/volume_controller.go, when
`restoreRequired` is over, and that a volume is detached by itself then. A PersistentVolume with a `claimRef` waits for that claim
(Kubernetes docs, "Persistent Volumes": reserving one). Whoever provisions deletes only what says that it did so
(kubernetes-sigs/sig-storage-lib-external-provisioner: controller, annotation pv.kubernetes.io/provisioned-by).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstead.core.shape import at, mapping
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.making import make
from fluxstead.live.procedure import Step, StepState, done, due, fails, waits
from fluxstead.live.resources import VOLUMES
from fluxstead.systems.longhorn.names import PROVISIONER
from fluxstead.systems.longhorn.resources import BACKUPS, ENGINES, LIVE, TARGETS
from fluxstead.systems.longhorn.restore.wish import Wish

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

OURS = {"app.kubernetes.io/managed-by": "fluxstead"}
_OF = "fluxstead/restored-from"
_HOURS = 24 * 60 * 60
_DOCTOR = "./run doctor, then the same command"


def volume_steps(api: LiveApi, wish: Wish, labels: Mapping[str, str] = OURS) -> tuple[Step, ...]:
    """The volume is there, holds what the backup holds, and is as large as the claim asks for. `labels`: what it carries."""
    return (
        Step(
            f"volume {wish.volume} is made from backup {wish.backup} of {wish.made}",
            "what is there now stays as it is while the backup is read",
            f"kubectl -n {wish.home} delete volumes.longhorn.io {wish.volume}",
            partial(_made, api, wish),
            partial(_make, api, wish, labels),
            patience=600,
        ),
        Step(
            f"volume {wish.volume} holds what the backup holds",
            "a volume that is half restored reads like a whole one",
            "none is needed",
            partial(_restored, api, wish),
            patience=_HOURS,
        ),
        Step(
            f"volume {wish.volume} is as large as {wish.label} asks for",
            "a claim does not take a volume that is smaller than it asks for",
            "none: a volume never shrinks",
            partial(_large, api, wish),
            partial(_enlarge, api, wish),
            patience=600,
        ),
        Step(
            f"volume {wish.volume} is backed up to {wish.backed_up_to}",
            "Longhorn lets it go on with the target that the backup is in, which may be a former one",
            "./run rotate backup-target, for all volumes",
            partial(_backed_up, api, wish),
            partial(_back_up, api, wish),
        ),
        Step(
            f"volume {wish.volume} is for {wish.label} alone",
            "no other claim can take it",
            f"kubectl delete pv {wish.volume}",
            partial(_reserved, api, wish),
            partial(_reserve, api, wish),
        ),
    )


def _live(api: LiveApi, wish: Wish) -> Mapping[str, Any] | None:
    return api.get(LIVE, wish.volume, wish.home)


def _made(api: LiveApi, wish: Wish) -> StepState:
    found = _live(api, wish)
    if found is not None:
        own = at(found, ("spec", "fromBackup")) == wish.url
        return done() if own else fails(f"volume {wish.volume} is there, and is no copy of this backup", "./run backup")
    target = api.get(TARGETS, wish.target, wish.home)
    if at(target, ("status", "available")) is not True:
        return waits(f"the backup target {wish.target} is not available", "./run doctor; its server, its URL and its Secret")
    if api.get(BACKUPS, wish.backup, wish.home) is None:
        return waits(f"Longhorn does not know backup {wish.backup}; it reads the target every five minutes", "./run backup")
    return due(f"make volume {wish.volume} from {wish.backup}")


def _make(api: LiveApi, wish: Wish, labels: Mapping[str, str]) -> None:
    said = wish.parameters
    copies, minutes = (said.get(key, "") for key in ("numberOfReplicas", "staleReplicaTimeout"))
    spec: dict[str, Any] = {
        # Longhorn takes the backup's own.
        "size": str(wish.size),
        "fromBackup": wish.url,
        "frontend": "blockdev",
        "dataEngine": said.get("dataEngine", "v1"),
        "accessMode": wish.longhorn_mode,
        # 0, and nothing: as Longhorn's settings say.
        "numberOfReplicas": int(copies) if copies.isdecimal() else 0,
        "staleReplicaTimeout": int(minutes) if minutes.isdecimal() else 30,
        "dataLocality": said.get("dataLocality", ""),
        "diskSelector": _listed(said.get("diskSelector")),
        "nodeSelector": _listed(said.get("nodeSelector")),
        "replicaAutoBalance": said.get("replicaAutoBalance", ""),
    }
    metadata = {"name": wish.volume, "namespace": wish.home, "labels": dict(labels), "annotations": {_OF: wish.backup}}
    make(api, LIVE, {"apiVersion": "longhorn.io/v1beta2", "kind": "Volume", "metadata": metadata, "spec": spec})


def _listed(text: str | None) -> list[str]:
    return [one for one in (text or "").split(",") if one]


def _restored(api: LiveApi, wish: Wish) -> StepState:
    found = _live(api, wish)
    if found is None:
        return fails(f"volume {wish.volume} is gone", "the same command with --abandon, which begins anew")
    status = mapping(found, "status")
    if status.get("robustness") == "faulted":
        said = conditions_of(status).get("Restore", UNSAID)
        reason = said.says or said.reason or "it is faulted"
        gone = f"kubectl -n {wish.home} delete volumes.longhorn.io {wish.volume}"
        return fails(f"the backup was not restored: {reason}", f"{gone}; then another backup: --at, and --abandon")
    if status.get("restoreInitiated") is True and status.get("restoreRequired") is not True:
        # Once it can be claimed, pods may have it by now: gone on with after a cut, it is restored all the same.
        ready = status.get("state") == "detached" or api.get(VOLUMES, wish.volume) is not None
        return done() if ready else waits(f"it is read; the volume is still {status.get('state')}")
    return waits(f"{_progress(api, wish)} % of the backup are read", _DOCTOR)


def _progress(api: LiveApi, wish: Wish) -> int:
    """The copy that is furthest behind."""
    engines = api.list(ENGINES, wish.home, f"longhornvolume={wish.volume}")
    copies = [one for engine in engines for one in mapping(mapping(engine, "status"), "restoreStatus").values()]
    known = [one.get("progress") for one in copies if isinstance(one, Mapping)]
    return min((one for one in known if isinstance(one, int)), default=0)


def _large(api: LiveApi, wish: Wish) -> StepState:
    found = _live(api, wish)
    size = str(at(found, ("spec", "size")) or "")
    if not size.isdecimal() or int(size) < wish.capacity:
        return due(f"from {size or 'an unknown size'} to {wish.capacity} bytes")
    asked = {str(at(one, ("spec", "volumeSize"))) for one in api.list(ENGINES, wish.home, f"longhornvolume={wish.volume}")}
    grows = at(found, ("status", "expansionRequired")) is True or (bool(asked) and asked != {size})
    return waits("it grows") if grows else done()


def _enlarge(api: LiveApi, wish: Wish) -> None:
    api.merge(LIVE, wish.volume, {"spec": {"size": str(wish.capacity)}}, wish.home)


def _backed_up(api: LiveApi, wish: Wish) -> StepState:
    now = at(_live(api, wish), ("spec", "backupTargetName"))
    # Before 1.8 there is one target, and no word for it.
    return done() if now is None or now == wish.backed_up_to else due(f"{now} becomes {wish.backed_up_to}")


def _back_up(api: LiveApi, wish: Wish) -> None:
    api.merge(LIVE, wish.volume, {"spec": {"backupTargetName": wish.backed_up_to}}, wish.home)


def _reserved(api: LiveApi, wish: Wish) -> StepState:
    found = api.get(VOLUMES, wish.volume)
    if found is None:
        return due(f"make PersistentVolume {wish.volume}, for {wish.label}")
    claim = at(found, ("spec", "claimRef"))
    if (at(claim, ("namespace",)), at(claim, ("name",))) == (wish.namespace, wish.claim):
        return done()
    return fails(f"PersistentVolume {wish.volume} is for another claim", f"kubectl describe pv {wish.volume}")


def _reserve(api: LiveApi, wish: Wish) -> None:
    spec = {
        "capacity": {"storage": str(wish.capacity)},
        "volumeMode": "Block" if wish.block else "Filesystem",
        "accessModes": list(wish.modes),
        # Until the claim has it, nothing that goes wrong takes the data along.
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": wish.storage_class,
        "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": wish.namespace, "name": wish.claim},
        "csi": {
            "driver": PROVISIONER,
            "volumeHandle": wish.volume,
            **({} if wish.block else {"fsType": wish.fs_type}),
            **({"volumeAttributes": dict(wish.attributes)} if wish.attributes else {}),
        },
        **({"mountOptions": list(wish.mount_options)} if wish.mount_options else {}),
    }
    metadata = {
        "name": wish.volume,
        "labels": OURS,
        "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER, _OF: wish.backup},
    }
    make(api, VOLUMES, {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec})


def given_back(api: LiveApi, wish: Wish) -> Step:
    """From here on the volume is the claim's as any other."""
    return Step(
        f"volume {wish.volume} goes with its claim, as those of class {wish.storage_class or 'none'} do",
        "what nobody claims any more is not kept for ever",
        f'kubectl patch pv {wish.volume} -p \'{{"spec":{{"persistentVolumeReclaimPolicy":"Retain"}}}}\'',
        partial(_as_described, api, wish),
        partial(_policy, api, wish.volume, wish.reclaim),
    )


def _as_described(api: LiveApi, wish: Wish) -> StepState:
    found = at(api.get(VOLUMES, wish.volume), ("spec", "persistentVolumeReclaimPolicy"))
    return done() if found == wish.reclaim else due(f"{found} becomes {wish.reclaim}")


def _policy(api: LiveApi, volume: str, policy: str) -> None:
    api.merge(VOLUMES, volume, {"spec": {"persistentVolumeReclaimPolicy": policy}})


def keep(api: LiveApi, volume: str) -> None:
    """Whatever becomes of its claim, this volume stays. Raises Unanswered."""
    _policy(api, volume, "Retain")
