"""The keys of k3s's configuration file, by version: a server only warns of one that it does not know, and an agent does not start.

Source: k3s pkg/configfilearg (`ValidFlags` names no agent), and pkg/cli/cmds at each version (docs/catalog.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from fluxstead.core.version import Version

_DATA = Path(__file__).parent / "data" / "k3s" / "configuration.json"

Role = Literal["server", "agent"]
OptionType = Literal["bool", "int", "list", "string"]


class Options(NamedTuple):
    """What a version of k3s takes. `types`: of each key; `roles`: who knows it. `read`: whether this very version was read."""

    types: Mapping[str, OptionType]
    roles: Mapping[str, frozenset[Role]]
    read: bool


@cache
def options_of(version: Version) -> Options:
    """The keys of a version; of one that was not read, those of both its neighbours."""
    content = _load()
    known = [Version(one).numbers for one in content["versions"]]
    wanted = version.numbers
    around = {
        max((one for one in known if one <= wanted), default=known[0]),
        min((one for one in known if one >= wanted), default=known[-1]),
    }
    types: dict[str, OptionType] = {}
    roles: dict[str, set[Role]] = {}
    for name, runs in content["names"].items():
        if any(Version(first).numbers <= one <= Version(last).numbers for one in around for first, last in runs):
            role, key, type_ = name.split()
            types[key] = type_
            roles.setdefault(key, set()).add(role)
    return Options(types, {key: frozenset(of) for key, of in roles.items()}, wanted in known)


def first_with(key: str) -> str | None:
    """The oldest version that was read and has a key; None where none has."""
    found = [run[0] for name, runs in _load()["names"].items() if name.split()[1] == key for run in runs]
    return min(found, key=lambda one: Version(one).numbers, default=None)


def latest_read() -> str:
    """The newest version whose keys are known."""
    return str(_load()["versions"][-1])


@cache
def _load() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_DATA.read_bytes())
    return content
