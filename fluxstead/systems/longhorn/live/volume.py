"""Longhorn's volumes and their engines, as facts (longhorn/longhorn-manager: k8s/pkg/apis/longhorn/v1beta2/{volume,engine}.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping, named
from fluxstead.live.conditions import UNSAID, Condition, conditions_of
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import VOLUMES
from fluxstead.live.trouble import Subject
from fluxstead.systems.longhorn.live.kinds import changed_at, created, whole
from fluxstead.systems.longhorn.resources import ENGINES, LIVE

_JOB, _GROUP = "recurring-job.longhorn.io/", "recurring-job-group.longhorn.io/"
"""Of labels (types/types.go: GetRecurringJobLabelKey)."""
_READ_ONLY = "FilesystemReadOnly"
"""longhorn/longhorn-instance-manager: pkg/types/types.go."""


class LiveVolume(NamedTuple):
    """A volume.

    `claim`: the claim that it is for, as `namespace/name`. `image`: of its engine. `restoring`: whether it has to be restored
    before it is used. `standby`: whether it only follows another cluster's backups. `unplaced_since`: when no place was found for
    a copy. `grows`: whether it is to become larger.
    """

    namespace: str
    name: str
    state: str
    robustness: str
    claim: str
    pv: str
    image: str
    data_engine: str
    conditions: Mapping[str, Condition]
    unplaced_since: str
    restoring: bool
    standby: bool
    grows: bool
    jobs: frozenset[str]
    groups: frozenset[str]
    backed_up: str
    created: str

    @property
    def what(self) -> str:
        """The claim, for people who know no volume by its name."""
        return f" (claim {self.claim})" if self.claim else ""

    @property
    def of_claim(self) -> tuple[Subject, ...]:
        """What else is not well where the volume is not: pods wait for their claims."""
        return (Subject("claim", self.claim),) if self.claim else ()


def _volume(obj: Mapping[str, Any]) -> LiveVolume:
    spec, status, place = mapping(obj, "spec"), mapping(obj, "status"), named(obj)
    of, labels = mapping(status, "kubernetesStatus"), mapping(mapping(obj, "metadata"), "labels")
    # A claim that is gone is kept there as history, and another may have its name.
    now = of.get("pvcName") and not of.get("lastPVCRefAt")
    return LiveVolume(
        namespace=place.namespace,
        name=place.name,
        state=str(status.get("state", "")),
        robustness=str(status.get("robustness", "")),
        claim=f"{of.get('namespace')}/{of.get('pvcName')}" if now else "",
        pv=str(of.get("pvName") or ""),
        image=str(status.get("currentImage") or ""),
        data_engine=str(spec.get("dataEngine") or spec.get("backendStoreDriver") or "v1"),
        conditions=conditions_of(status),
        unplaced_since=changed_at(status, "Scheduled"),
        restoring=status.get("restoreRequired") is True,
        standby=status.get("isStandby") is True,
        grows=status.get("expansionRequired") is True,
        jobs=_labelled(labels, _JOB),
        groups=_labelled(labels, _GROUP),
        backed_up=str(status.get("lastBackupAt") or ""),
        created=created(obj),
    )


def _labelled(labels: Iterable[Any], prefix: str) -> frozenset[str]:
    return frozenset(str(one).removeprefix(prefix) for one in labels if str(one).startswith(prefix))


class LiveEngine(NamedTuple):
    """The engine of a volume. `rebuilt`: how far the copy that is being made is, in percent; -1 where none is."""

    volume: str
    read_only: bool
    rebuilt: int
    refusal: str


def _engine(obj: Mapping[str, Any]) -> LiveEngine:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    rebuilding = mapping(status, "rebuildStatus")
    running = [one for one in (mapping(rebuilding, name) for name in rebuilding) if one.get("isRebuilding") is True]
    return LiveEngine(
        str(spec.get("volumeName", "")),
        conditions_of(status).get(_READ_ONLY, UNSAID).status == "True",
        min((whole(one.get("progress")) for one in running), default=-1),
        " ".join(str(status.get("lastExpansionError") or "").split()),
    )


def _read_only(obj: Mapping[str, Any]) -> str | None:
    options = mapping(obj, "spec").get("mountOptions")
    return named(obj).name if isinstance(options, list) and "ro" in options else None


VOLUME = Kind(LIVE, _volume)
ENGINE = Kind(ENGINES, _engine)
MEANT_READ_ONLY = Kind(VOLUMES, _read_only)
"""The names of those PersistentVolumes that are to be mounted read-only (datastore/longhorn.go: IsPVMountOptionReadOnly)."""


def volume_subject(name: str) -> Subject:
    """A volume, as it is named everywhere."""
    return Subject("volume", name)


def engines_of(facts: ClusterFacts) -> dict[str, LiveEngine]:
    """By volume: the last one; two are there only while a volume moves."""
    return {one.volume: one for one in facts.of(ENGINE)}
