"""Whether something has been so for longer than starting, attaching and placing copies take."""

from __future__ import annotations

from datetime import timedelta

from fluxstead.live.facts import ClusterFacts
from fluxstead.live.moments import longer_ago, moment_of

PATIENCE = timedelta(minutes=10)


def lasts(facts: ClusterFacts, said: str) -> bool:
    """Of what says no moment it is not known."""
    return longer_ago(moment_of(said), PATIENCE, facts.taken)
