"""Reads `config.yaml` and `config.yaml.d` as k3s does (pkg/configfilearg), and its command line after them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .flags import AGENT, LISTS, SERVER, SHORT

DEFAULT = "/etc/rancher/k3s/config.yaml"
Value = tuple[str, str]


class Trouble(Exception):
    """It cannot start; the message is what k3s would end with."""


class Settings:
    """What was configured: the last value of a key, or all of them where it is a list."""

    def __init__(self, role: str, values: Sequence[Value]) -> None:
        self.role = role
        self._values: dict[str, list[str]] = {}
        for key, value in values:
            self._values.setdefault(key, []).append(value)

    def text(self, key: str, default: str = "") -> str:
        return self._values.get(key, [default])[-1]

    def flag(self, key: str) -> bool:
        return self.text(key, "false").lower() in ("true", "1", "t")

    def listed(self, key: str, *default: str) -> list[str]:
        """Each value of it; those of addresses and networks may also stand in one text, with commas."""
        given = self._values.get(key, list(default))
        if key.endswith("-arg") or key in ("node-label", "node-taint"):
            return given
        return [part.strip() for value in given for part in value.split(",") if part.strip()]

    def secret(self, key: str) -> str:
        """The value of `token` or `agent-token`, or what the file holds that `…-file` names."""
        file = self.text(f"{key}-file")
        if not file:
            return self.text(key)
        try:
            return Path(file).read_text().strip()
        except OSError as problem:
            raise Trouble(f"{key}-file: {problem}") from problem


def settings(role: str, arguments: Sequence[str]) -> Settings:
    """All that is configured for `server` or `agent`. Raises Trouble for a file that is no YAML, or an unknown argument."""
    known = SERVER if role == "server" else AGENT
    given = _of_arguments(arguments, known)
    named = [value for key, value in given if key == "config"] or [os.environ.get("K3S_CONFIG_FILE", "")]
    values = []
    for key, value in _of_files(Path(named[-1] or DEFAULT), bool(named[-1])):
        if key in known:
            values.append((key, value))
        else:
            said = f'level=warning msg="Unknown flag --{key} found in config.yaml, skipping"'
            sys.stderr.write(f"{said}\n")
    for key, name in (("token", "K3S_TOKEN"), ("token-file", "K3S_TOKEN_FILE"), ("server", "K3S_URL")):
        if os.environ.get(name) and key not in dict(values):
            values.append((key, os.environ[name]))
    return Settings(role, [*values, *given])


def _of_arguments(arguments: Sequence[str], known: frozenset[str]) -> list[Value]:
    values, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        key, equals, value = word.lstrip("-").partition("=")
        key = SHORT.get(key, key)
        if not word.startswith("-") or key not in known:
            raise Trouble(f"flag provided but not defined: {word}")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("-") else "true"
        values.append((key, value))
    return values


def _of_files(file: Path, wanted: bool) -> list[Value]:
    folder = Path(f"{file}.d")
    more = sorted(one for one in folder.glob("*") if one.suffix in (".yaml", ".yml")) if folder.is_dir() else []
    if not file.exists() and wanted and not more:
        raise Trouble(f"open {file}: no such file or directory")
    merged: dict[str, Any] = {}
    for one in [file] * file.exists() + more:
        for written, value in _mapping(one).items():
            key = str(written).rstrip("+")
            appended = str(written).endswith("+") and key in merged
            merged[key] = [*_as_list(merged[key]), *_as_list(value)] if appended else value
    return [(SHORT.get(key, key), _text(one)) for key, value in merged.items() for one in _as_values(key, value)]


def _mapping(file: Path) -> dict[Any, Any]:
    try:
        read = yaml.safe_load(file.read_text()) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise Trouble(f"{file}: {problem}") from problem
    if not isinstance(read, dict):
        raise Trouble(f"{file}: yaml: unmarshal errors: cannot unmarshal into yaml.MapSlice")
    return read


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_values(key: str, value: Any) -> list[Any]:
    return _as_list(value) if isinstance(value, list) or key in LISTS else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
