"""A cluster that was built anew, and waits for the volumes of the old one (`waitForRestore`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.core.shape import at, named
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import CONFIG_MAPS
from fluxstead.live.rule import LiveRule
from fluxstead.live.trouble import LiveTrouble, Subject
from fluxstead.systems.longhorn.live.target import targets
from fluxstead.systems.longhorn.storage import RESTORED


def _waits(obj: Mapping[str, Any]) -> str | None:
    return named(obj).namespace if at(obj, ("data", "restored")) == "false" else None


WAITING = Kind(CONFIG_MAPS, _waits, fields=f"metadata.name={RESTORED}")
"""The namespaces of those that say that nothing was restored yet."""


def awaited(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """What needs volumes has not started, as it is described."""
    del expected
    for namespace in facts.of(WAITING):
        yield LiveTrouble(
            Subject("restore of", "all volumes"),
            f"is waited for by all that needs volumes, as {namespace}/{RESTORED} says",
            "nothing that keeps data starts before, so that none of it begins empty",
            "./run backup restore --all --plan, then without --plan; or no waitForRestore, if this is the first cluster",
            "docs/tasks/backups.md",
            targets(facts),
            also=(Subject("configmap", f"{namespace}/{RESTORED}"),),
        )


RULES = (LiveRule(awaited, (WAITING,)),)
