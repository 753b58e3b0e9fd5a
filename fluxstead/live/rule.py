"""A rule about a running cluster: a pure function from what is described and what was seen to troubles; and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.trouble import LiveTrouble


class LiveRule(NamedTuple):
    """One rule, and what has to be asked for it."""

    look: Callable[[Expected, ClusterFacts], Iterator[LiveTrouble]]
    kinds: tuple[Kind[Any], ...]
