"""Data of any shape, as people write it, read without an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


def mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping at a key; empty where there is none."""
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def entries_of(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The mappings in the list at a key; none where there is no list."""
    found = data.get(key)
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


def at(data: Any, keys: Iterable[str]) -> Any:
    """What stands at a path of keys; None where there is nothing."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def merged(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with `overrides` merged over them, mapping by mapping, as Helm does; lists are replaced whole."""
    result = dict(values)
    for key, value in overrides.items():
        current = result.get(key)
        both = isinstance(current, Mapping) and isinstance(value, Mapping)
        result[key] = merged(current, value) if both else value  # type: ignore[arg-type]
    return result


class Named(NamedTuple):
    """Where an object of Kubernetes is; empty where it has no namespace, or no name."""

    namespace: str
    name: str


def named(obj: Mapping[str, Any]) -> Named:
    """The namespace and the name of an object."""
    metadata = mapping(obj, "metadata")
    return Named(str(metadata.get("namespace", "")), str(metadata.get("name", "")))
