"""What a cluster says of itself at one moment: every kind asked once, page by page, at the same time, and kept as plain facts.

What gave no answer is a fact as well. Nothing here holds a value of a Secret: of those, names alone are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from fluxstead.live.greeting import Greeting
from fluxstead.live.resources import Resource, Unanswered

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi
    from fluxstead.live.delivered import Delivered
    from fluxstead.live.ways_in import RouteAnswer

Fact = TypeVar("Fact")
_AT_ONCE = 6


class Kind(NamedTuple, Generic[Fact]):
    """A kind to ask for: how an object of it becomes a fact, or nothing.

    `names`: whether only its metadata is asked for. `fields`: of which alone, by a field selector. `keep`: which facts of all stay.
    """

    resource: Resource
    read: Callable[[Mapping[str, Any]], Fact | None]
    names: bool = False
    fields: str = ""
    keep: Callable[[Iterable[Any]], Iterable[Any]] = tuple


class ClusterFacts(NamedTuple):
    """`taken`: when, by the API's clock, where it tells its time. `seen`: by resource, what was read; `unanswered`: why nothing.

    Beside the API: `delivered`, what Git says, and `answers`, by URL, what came of asking for the routes; nothing if nobody asked.
    """

    taken: datetime
    server: str
    kubernetes: str
    greeting: Greeting
    seen: Mapping[Resource, Sequence[Any]]
    unanswered: Mapping[Resource, str] = {}
    delivered: Delivered | None = None
    answers: Mapping[str, RouteAnswer] = {}

    def of(self, kind: Kind[Fact]) -> Sequence[Fact]:
        """All facts of a kind; none where it gave no answer, or is not there."""
        return self.seen.get(kind.resource, ())

    def knows(self, kind: Kind[Any]) -> bool:
        """Whether it was asked for, and answered."""
        return kind.resource in self.seen


def cluster_facts(api: LiveApi, kinds: Sequence[Kind[Any]], say: Callable[[str], None] = lambda _: None) -> ClusterFacts:
    """Ask for all of them; `say` takes the name of each that was asked for. Raises Unanswered where nothing answers at all."""
    kubernetes, greeting = api.greeting()
    seen: dict[Resource, Sequence[Any]] = {}
    unanswered: dict[Resource, str] = {}

    def ask(kind: Kind[Any]) -> Sequence[Any] | Unanswered:
        try:
            return facts_in(kind, api.pages(kind.resource, names=kind.names, fields=kind.fields))
        except Unanswered as problem:
            return problem
        finally:
            say(kind.resource.plural)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for kind, answer in zip(kinds, pool.map(ask, kinds), strict=True):
            if isinstance(answer, Unanswered):
                unanswered[kind.resource] = str(answer)
            else:
                seen[kind.resource] = answer
    now = datetime.now(UTC) - (greeting.ahead or timedelta())
    return ClusterFacts(now, api.server, str(kubernetes), greeting, seen, unanswered)


def facts_in(kind: Kind[Any], objects: Iterable[Mapping[str, Any]]) -> tuple[Any, ...]:
    """What a kind's objects say."""
    return tuple(kind.keep(fact for obj in objects if (fact := kind.read(obj)) is not None))
