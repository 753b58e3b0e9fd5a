"""Flux's variables: `${name}` and its forms, as a Kustomization's `postBuild` fills them in (fluxcd/pkg envsubst)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[_A-Za-z][_A-Za-z0-9]*)(?:(?P<sign>:?[-=])(?P<default>[^}]*)|(?P<rest>[^}]*))\}")

_TRUE = frozenset({"true", "True", "TRUE"})
_TRUTHS = _TRUE | {"false", "False", "FALSE"}
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_FRACTION = re.compile(r"[-+]?(?:[0-9]{1,17}\.[0-9]{1,17})(?:[eE][-+]?[0-9]{1,2})?", re.ASCII)


def substituted(value: Any, known: Mapping[str, Any]) -> Any:
    """`value` with variables replaced that are known or have a default; others stay as they are.

    What is a number or a truth to YAML afterwards is one: Flux writes the object as YAML, in which quotes around `"${VLAN}"` are
    gone, substitutes, and reads it again (fluxcd/pkg, kustomize/varsub.go; fluxcd/kustomize-controller#1129).
    """
    if isinstance(value, str):
        if "${" not in value:
            return value
        text = _VARIABLE.sub(lambda match: _replacement(match, known), value)
        return value if text == value else _as_yaml(text)
    if isinstance(value, Mapping):
        return {str(substituted(key, known)): substituted(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [substituted(item, known) for item in value]
    return value


def _as_yaml(text: str) -> str | int | float | bool:
    """A substituted scalar. `yes` and `no` stay texts: Flux's libraries do not agree on them."""
    if text in _TRUTHS:
        return text in _TRUE
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text


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
