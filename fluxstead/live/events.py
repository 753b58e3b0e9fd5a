"""Why something does not start, in the words of whoever tried: warnings of the last hour, the newest of each object.

Sources: kubernetes/kubernetes pkg/controller/controller_utils.go (FailedCreate), pkg/kubelet/events/event.go (FailedMount and
FailedAttachVolume), pkg/controller/volume/events/event.go (ProvisioningFailed), pkg/registry/core/event/strategy.go (selectors).
Why a pod is on no machine, its own condition says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.moments import moment_of
from fluxstead.live.resources import Resource

_REASONS = frozenset({"FailedCreate", "FailedMount", "FailedAttachVolume", "ProvisioningFailed"})
_LONGEST = 300
_MOST = 1000
"""Objects of which it is kept; where more fail, the first of them say why."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class Happened(NamedTuple):
    """What failed with an object, since when, and when it last did."""

    kind: str
    namespace: str
    name: str
    says: str
    since: datetime | None
    last: datetime


def _event(obj: Mapping[str, Any]) -> Happened | None:
    about = mapping(obj, "involvedObject")
    if str(obj.get("reason")) not in _REASONS:
        return None
    # Recorders of events.k8s.io leave the older fields empty.
    series = mapping(obj, "series").get("lastObservedTime")
    first = moment_of(obj.get("firstTimestamp")) or moment_of(obj.get("eventTime"))
    return Happened(
        str(about.get("kind", "")),
        str(about.get("namespace", "")),
        str(about.get("name", "")),
        " ".join(str(obj.get("message") or obj["reason"]).split())[:_LONGEST],
        first,
        moment_of(series) or moment_of(obj.get("lastTimestamp")) or first or _NEVER,
    )


def _newest(events: Iterable[Happened]) -> Iterable[Happened]:
    found: dict[tuple[str, str, str], Happened] = {}
    for one in events:
        known = found.get(one[:3])
        if (known is None and len(found) < _MOST) or (known is not None and known.last < one.last):
            found[one[:3]] = one
    return found.values()


EVENT = Kind(Resource("api/v1", "events"), _event, fields="type=Warning", keep=_newest)


def failures_of(facts: ClusterFacts) -> Mapping[tuple[str, str, str], Happened]:
    """By kind, namespace and name."""
    return {one[:3]: one for one in facts.of(EVENT)}
