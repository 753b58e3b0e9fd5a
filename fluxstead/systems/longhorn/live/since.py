"""Since when something is so, as far as the objects say it: Longhorn and Kubernetes write moments as RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fluxstead.live.facts import ClusterFacts

PATIENCE = timedelta(minutes=10)
"""What starting, attaching and placing copies may take."""


def moment(said: object) -> datetime | None:
    """A moment; None where nobody said one."""
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def lasts(facts: ClusterFacts, said: str, patience: timedelta = PATIENCE) -> bool:
    """Whether what began then has lasted longer than it takes; of what says no moment it is not known."""
    began = moment(said)
    return began is not None and facts.taken - began > patience
