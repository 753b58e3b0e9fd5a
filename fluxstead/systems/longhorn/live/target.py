"""Backup targets, as facts (longhorn/longhorn-manager: k8s/pkg/apis/longhorn/v1beta2/backuptarget.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping, named
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.trouble import Subject
from fluxstead.systems.longhorn.live.kinds import changed_at
from fluxstead.systems.longhorn.resources import TARGETS

_UNAVAILABLE = "Unavailable"


class LiveTarget(NamedTuple):
    """Where backups go, which may be nowhere. `refusal`: why it cannot be reached; empty where it can, or where nobody tried."""

    namespace: str
    name: str
    is_set: bool
    refusal: str
    since: str


def _target(obj: Mapping[str, Any]) -> LiveTarget:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    said = conditions_of(status).get(_UNAVAILABLE, UNSAID)
    refusal = (said.says or said.reason or _UNAVAILABLE) if said.status == "True" and status.get("available") is not True else ""
    return LiveTarget(*named(obj), bool(spec.get("backupTargetURL")), refusal, changed_at(status, _UNAVAILABLE))


TARGET = Kind(TARGETS, _target)


def target_subject(name: str) -> Subject:
    """A backup target, as it is named everywhere."""
    return Subject("backup target", name)


def targets(facts: ClusterFacts) -> tuple[Subject, ...]:
    """All of them."""
    return tuple(target_subject(one.name) for one in facts.of(TARGET))
