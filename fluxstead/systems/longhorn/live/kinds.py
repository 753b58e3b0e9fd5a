"""What is the same of every object of Longhorn, and its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from fluxstead.core.findings import some
from fluxstead.core.shape import entries_of, mapping, named
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.systems.longhorn.names import API

PRODUCT = "longhorn"
_SHOWN = 5


def created(obj: Mapping[str, Any]) -> str:
    """When it was made."""
    return str(mapping(obj, "metadata").get("creationTimestamp") or "")


def whole(said: object) -> int:
    """A number; 0 where there is none."""
    return said if isinstance(said, int) and not isinstance(said, bool) else 0


def changed_at(status: Mapping[str, Any], kind: str) -> str:
    """When a condition became what it is; empty where nothing says it."""
    found = (one.get("lastTransitionTime") for one in entries_of(status, "conditions") if one.get("type") == kind)
    return str(next(found, "") or "")


def shown(names: Iterable[str]) -> str:
    """The first few of many."""
    return some(list(names), _SHOWN)


class LiveSetting(NamedTuple):
    """One of Longhorn's settings."""

    namespace: str
    name: str
    value: str


def _setting(obj: Mapping[str, Any]) -> LiveSetting:
    return LiveSetting(*named(obj), str(obj.get("value", "")))


SETTING = Kind(Resource(API, "settings"), _setting)


def value_of(facts: ClusterFacts, name: str) -> str:
    """What a setting is; empty where there is none."""
    return next((one.value for one in facts.of(SETTING) if one.name == name), "")


def number_of(facts: ClusterFacts, name: str, usual: int) -> int:
    """A setting that is a number; what is usual where nothing is said, or no number."""
    said = value_of(facts, name)
    return int(said) if said.isdecimal() and len(said) < _DIGITS else usual


_DIGITS = 9
