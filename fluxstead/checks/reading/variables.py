"""Flux's variables: `${name}` and its forms, as a Kustomization's `postBuild` fills them in (fluxcd/pkg envsubst)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[_A-Za-z][_A-Za-z0-9]*)(?:(?P<sign>:?[-=])(?P<default>[^}]*)|(?P<rest>[^}]*))\}")


def substituted(value: Any, known: Mapping[str, Any]) -> Any:
    """`value` with variables replaced that are known or have a default; others stay as they are."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _replacement(match, known), value) if "${" in value else value
    if isinstance(value, Mapping):
        return {substituted(key, known): substituted(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [substituted(item, known) for item in value]
    return value


def _replacement(match: re.Match[str], known: Mapping[str, Any]) -> str:
    if match["name"] in known and not match["rest"]:
        return str(known[match["name"]])
    return match["default"] if match["sign"] else match[0]


def variables_in(value: Any) -> Iterator[tuple[str, bool]]:
    """Every variable in `value` and whether it has a default; escaped ones (`$${…}`) left out."""
    if isinstance(value, str):
        if "${" in value:
            for match in _VARIABLE.finditer(value):
                yield match["name"], bool(match["sign"])
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from variables_in(key)
            yield from variables_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from variables_in(item)
