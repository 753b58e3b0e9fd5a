"""One file per chart: every key that its values ever had, and in which versions.

A node is `0` for a value without keys, `1` for one that takes any keys, or a map of its keys. A key that only some
versions have is `[node, [first, end, ...]]`: from the version with index `first` up to, not including, `end`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

CLOSED = 0
OPEN = 1
# Alertmanager's own configuration, of which the defaults only show a beginning, and Traefik's entry points, which have any name.
HANDED_ON = {"alertmanager.config", "ports"}
# What charts hand on to Kubernetes as it is written.
KUBERNETES_OWN = (
    "affinity",
    "annotations",
    "Annotations",
    "extraArgs",
    "labels",
    "Labels",
    "Probe",
    "nodeSelector",
    "resources",
    "securityContext",
    "SecurityContext",
    "strategy",
    "updateStrategy",
)


def history(versions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The keys of all versions in one tree."""
    return _keys(dict(enumerate(versions)), ())


def _keys(versions: Mapping[int, Mapping[str, Any]], path: tuple[str, ...]) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for key in sorted({key for values in versions.values() for key in values}):
        has = {index: values[key] for index, values in versions.items() if key in values}
        node = _node(has, (*path, key))
        keys[key] = node if len(has) == len(versions) else [node, _runs(has, versions)]
    return keys


def _node(has: Mapping[int, Any], path: tuple[str, ...]) -> Any:
    """A value's node; where versions disagree, the one that accepts more."""
    maps = {index: value for index, value in has.items() if isinstance(value, dict)}
    handed_on = path[-1].endswith(KUBERNETES_OWN) or ".".join(path) in HANDED_ON
    if handed_on or any(value in (None, "", {}, []) for value in has.values()):
        return OPEN
    return _keys(maps, path) if maps else CLOSED


def _runs(has: Mapping[int, Any], among: Mapping[int, Any]) -> list[int]:
    """The stretches of versions that have a key; a version that has not even its parent interrupts none."""
    runs: list[int] = []
    for index in sorted(among):
        if index in has and len(runs) % 2 == 0:
            runs.append(index)
        if index not in has and len(runs) % 2 == 1:
            runs.append(index)
    return runs if len(runs) % 2 == 0 else [*runs, max(among) + 1]
