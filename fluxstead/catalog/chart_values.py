"""Whether a Helm value is one that this version of a chart knows.

Helm silently accepts an unknown key, unless the chart has a schema of its own: the setting is then just not set.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fluxstead.catalog.nearest import nearest

_DATA = Path(__file__).parent / "data" / "chart_values"
_OPEN = 1


@dataclass(frozen=True, slots=True, order=True)
class UnknownValue:
    """A key that a chart's version does not read.

    Its dotted path, the path that may have been meant, and the versions that do have it, as in `1.5.0 to 1.7.3`.
    """

    path: str
    nearest: str | None
    known_in: str | None


def versions_known(chart: str) -> tuple[str, ...]:
    """The versions of a chart whose values can be checked, oldest first."""
    return tuple(_load(chart)["versions"])


def unknown_values(
    chart: str, version: str, values: Mapping[str, Any], open_keys: Collection[str] = ()
) -> list[UnknownValue] | None:
    """The keys that this version of the chart does not know; None where the version itself is not known.

    Anything below `open_keys` is accepted: these go to a chart inside the chart, `global` to all of them.

    A chart knows the keys of its default values. Below a default of null or of an empty map, and below what charts pass on
    to Kubernetes unchanged (resources, labels, …), every key is known. A key that only a template reads is not in the
    defaults, so what has no nearest known key may still be right.
    """
    versions = versions_known(chart)
    number = version.removeprefix("v")
    if number not in versions:
        return None
    keys = {key: _OPEN if key in open_keys else node for key, node in _load(chart)["keys"].items()}
    return sorted(_Version(versions.index(number), versions, keys).unknown(values, keys))


@dataclass(frozen=True, slots=True)
class _Version:
    """One version's view of a chart's keys.

    A node is 0 for a value without keys, 1 for one that takes any, or a map of its keys. A key that only some versions
    have is `[node, [first, end, ...]]`, by the versions' index.
    """

    index: int
    all: Sequence[str]
    keys: Mapping[str, Any]

    def unknown(self, values: Mapping[str, Any], keys: Mapping[str, Any], parent: str = "") -> Iterator[UnknownValue]:
        """The keys of a map that this version does not have, and of the maps in it."""
        for key, value in values.items():
            path = f"{parent}{key}"
            if not self._has(keys.get(key)):
                yield UnknownValue(path, self._meant(key, keys, parent), self._known_in(keys.get(key)))
                continue
            node = _node(keys[key])
            if isinstance(value, Mapping) and node != _OPEN:
                yield from self.unknown(value, node or {}, f"{path}.")

    def _meant(self, key: str, siblings: Mapping[str, Any], parent: str) -> str | None:
        """A very similar sibling, or the same key at the only other place, or a somewhat similar sibling."""
        known = [name for name, entry in siblings.items() if self._has(entry)]
        elsewhere = [path for path in self._paths(self.keys) if path.rpartition(".")[2] == key]
        sibling = nearest(key, known, 0.75)
        if sibling is None and len(elsewhere) == 1:
            return elsewhere[0]
        sibling = sibling or nearest(key, known)
        return None if sibling is None else f"{parent}{sibling}"

    def _paths(self, keys: Mapping[str, Any], parent: str = "") -> Iterator[str]:
        for key, entry in keys.items():
            if self._has(entry):
                yield f"{parent}{key}"
                node = _node(entry)
                if isinstance(node, dict):
                    yield from self._paths(node, f"{parent}{key}.")

    def _has(self, entry: Any) -> bool:
        if not isinstance(entry, list):
            return entry is not None
        runs = entry[1]
        return any(first <= self.index < end for first, end in zip(runs[::2], runs[1::2], strict=True))

    def _known_in(self, entry: Any) -> str | None:
        if entry is None:
            return None
        runs = entry[1]
        spans = ((self.all[first], self.all[end - 1]) for first, end in zip(runs[::2], runs[1::2], strict=True))
        return ", ".join(first if first == last else f"{first} to {last}" for first, last in spans)


def _node(entry: Any) -> Any:
    return entry[0] if isinstance(entry, list) else entry


@cache
def _load(chart: str) -> dict[str, Any]:
    file = _DATA / f"{chart}.json"
    content: dict[str, Any] = json.loads(file.read_bytes()) if file.is_file() else {"keys": {}, "versions": []}
    return content
