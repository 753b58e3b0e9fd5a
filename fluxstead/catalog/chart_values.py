"""Whether a Helm value is one that this version of a chart knows.

Helm silently accepts an unknown key, unless the chart has a schema of its own: the setting is then just not set.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fluxstead.catalog.nearest import nearest
from fluxstead.core.version import Version

_DATA = Path(__file__).parent / "data" / "chart_values"
_OPEN = 1
_OF_LIBRARIES = frozenset({"fullnameOverride", "nameOverride", "namespaceOverride"})
"""Read by the helpers that `helm create` writes and that library charts share, whether or not values.yaml has them."""


class UnknownValue(NamedTuple):
    """A key that a chart's version does not read.

    Its dotted path, the path that may have been meant, and of the versions that do have it the last one before this version
    and the first one after it.
    """

    path: str
    nearest: str | None
    before: str | None
    after: str | None


def versions_known(chart: str) -> tuple[str, ...]:
    """The versions of a chart whose values can be checked, oldest first: each one was read."""
    return tuple(_load(chart)["versions"])


def neighbours(chart: str, version: Version) -> tuple[str, ...]:
    """The known versions on either side of an unknown exact one: two, or one before the oldest or after the newest."""
    known = versions_known(chart)
    place = bisect(known, version.numbers, key=lambda one: Version(one).numbers)
    return known[max(place - 1, 0) : place + 1]


def unknown_values(chart: str, version: str, values: Mapping[str, Any]) -> list[UnknownValue] | None:
    """The keys that this version of the chart does not know; None where the version itself is not known.

    A chart knows the keys of its default values, and those that its templates name in full. Below a default of null or of an
    empty map, below what it hands on as it is written (resources, labels, …), and below the names of the charts inside it,
    every key is known. A template may read a key in a way that does not show it, so what has no nearest known key may
    still be right.
    """
    versions = versions_known(chart)
    number = version.removeprefix("v")
    if number not in versions:
        return None
    keys = _load(chart)["keys"]
    return sorted(_Version(versions.index(number), versions, keys).unknown(values, keys))


def unknown_to_all(chart: str, oldest: str, newest: str, values: Mapping[str, Any]) -> list[UnknownValue] | None:
    """The keys that none of a chart's releases from one to another knows, as the newest tells of them; None where none is known."""
    versions, oldest, newest = versions_known(chart), oldest.removeprefix("v"), newest.removeprefix("v")
    if oldest not in versions or newest not in versions:
        return None
    between = versions[versions.index(oldest) : versions.index(newest) + 1]
    found = {one.path: one for one in unknown_values(chart, newest, values) or ()}
    for version in reversed(between):
        if not found:
            break
        known = {one.path for one in unknown_values(chart, version, values) or ()}
        found = {path: one for path, one in found.items() if path in known}
    return sorted(found.values())


class _Version(NamedTuple):
    """One version's view of a chart's keys.

    A node is 0 for a value without keys, 1 for one that takes any, or a map of its keys. What has no one node for all the
    versions of its parent is `[node, [first, end, ...], ...]`, by the versions' index; the last `end` may be missing.
    """

    number: int
    all: Sequence[str]
    keys: Mapping[str, Any]

    def unknown(self, values: Mapping[str, Any], keys: Mapping[str, Any], parent: tuple[str, ...] = ()) -> Iterator[UnknownValue]:
        """The keys of a map that this version does not have, and of the maps in it."""
        for name, value in values.items():
            key = str(name)
            way = (*parent, key)
            node = node_at(keys.get(key), self.number)
            if node is None and not parent and key in _OF_LIBRARIES:
                continue
            if node is None:
                yield UnknownValue(".".join(way), self._meant(key, keys, parent), *self._known_around(way))
            elif isinstance(value, Mapping) and node != _OPEN:
                yield from self.unknown(value, node or {}, way)

    def _meant(self, key: str, siblings: Mapping[str, Any], parent: tuple[str, ...]) -> str | None:
        """A very similar sibling, or the same key at the only other place, or a somewhat similar sibling."""
        known = [name for name, entry in siblings.items() if node_at(entry, self.number) is not None]
        elsewhere = [path for path in self._paths(self.keys) if path.rpartition(".")[2] == key]
        sibling = nearest(key, known, 0.75)
        if sibling is None and len(elsewhere) == 1:
            return elsewhere[0]
        sibling = sibling or nearest(key, known)
        return None if sibling is None else ".".join((*parent, sibling))

    def _paths(self, keys: Mapping[str, Any], parent: str = "") -> Iterator[str]:
        for key, entry in keys.items():
            node = node_at(entry, self.number)
            if node is not None:
                yield f"{parent}{key}"
                if isinstance(node, dict):
                    yield from self._paths(node, f"{parent}{key}.")

    def _known_around(self, way: Sequence[str]) -> tuple[str | None, str | None]:
        having = [index for index in range(len(self.all)) if self._has(way, index)]
        place = bisect(having, self.number)
        return (self.all[having[place - 1]] if place else None), (self.all[having[place]] if place < len(having) else None)

    def _has(self, way: Sequence[str], index: int) -> bool:
        node: Any = self.keys
        for key in way:
            if not isinstance(node, dict):
                return False
            node = node_at(node.get(key), index)
        return node is not None


def node_at(entry: Any, index: int) -> Any:
    """What an entry is in one version; None where that version does not have it."""
    if not isinstance(entry, list):
        return entry
    for node, runs in zip(entry[::2], entry[1::2], strict=True):
        if sum(boundary <= index for boundary in runs) % 2:
            return node
    return None


@cache
def _load(chart: str) -> dict[str, Any]:
    file = _DATA / f"{chart}.json"
    content: dict[str, Any] = json.loads(file.read_bytes()) if file.is_file() else {"keys": {}, "versions": []}
    return content
