"""Procedures that have begun and not ended: nothing else may begin, and what they did stands half-way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.lease import NAME, NAMESPACE, Unfinished, begun_in
from fluxstead.live.moments import longer_ago, moment_of
from fluxstead.live.resources import LEASES
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import LiveTrouble, Subject

_SILENCE = timedelta(minutes=5)
"""Far longer than a Lease lasts: clocks may differ."""


def _begun(obj: Mapping[str, Any]) -> Unfinished | None:
    found = begun_in(obj)
    return found if found.words else None


BEGUN = Kind(LEASES._replace(within=NAMESPACE), _begun, fields=f"metadata.name={NAME}")


def unfinished(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """The one that has begun, if nobody is at it any more; of one that is held, somebody knows."""
    del expected
    for one in facts.of(BEGUN):
        if not one.holder or longer_ago(moment_of(one.renewed), _SILENCE, facts.taken):
            yield LiveTrouble(
                Subject("procedure", one.words),
                f"was begun at {one.begun} and has not ended",
                "what it did may stand half-way, and no other procedure begins",
                f"./run {one.words} --plan, which says how it stands; then without --plan",
                "docs/tasks/procedures.md",
                gravity="warning",
            )


RULES = (LiveRule(unfinished, (BEGUN,)),)
