"""The keys of k3s's configuration, which are the flags of its commands, from the sources of its command line.

Or from those of rke2's of the same version, which does not start unless it says of each flag of k3s what becomes of it; their types
are then those that other versions of k3s have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_FLAG = re.compile(r"&?cli\.(\w+)Flag\{")
_VARIABLE = re.compile(r"(\w+)\s*=\s*$")
_NAME = re.compile(r'\bName:\s*"([^",]+)')
_LISTS = {
    "server": re.compile(r"\bServerFlags\s*=\s*\[\]cli\.Flag\{"),
    "agent": re.compile(r"func NewAgentCommand\(.*?\bFlags:\s*\[\]cli\.Flag\{", re.DOTALL),
}
_TOLD = re.compile(r'^\s+"([a-z0-9-]+)":\s+(?:copyFlag|dropFlag|hideFlag|\{)', re.MULTILINE)
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*')
_TYPES = {"Bool": "bool", "BoolT": "bool", "Duration": "string", "Int": "int", "String": "string", "StringSlice": "list"}
"""What a flag takes, by the name that urfave/cli has for it."""


def configuration_of_rke2(files: Iterable[Path], known: Iterable[str]) -> frozenset[str]:
    """As `configuration_in`, from rke2's `server.go` and `agent.go`, with the types of `known`."""
    types = {(command, key): type_ for command, key, type_ in map(str.split, known)}
    told = [(file.stem, key) for file in files for key in _TOLD.findall(file.read_text())]
    unknown = sorted(" ".join(one) for one in told if one not in types)
    if unknown or {command for command, _ in told} != set(_LISTS):
        raise SystemExit(f"not rke2's server.go and agent.go, or with flags of no known type: {', '.join(unknown)}")
    return frozenset(f"{command} {key} {types[command, key]}" for command, key in told)


def configuration_in(files: Iterable[Path]) -> frozenset[str]:
    """Each as `COMMAND KEY TYPE`: what `k3s server` and `k3s agent` know, in these files of pkg/cli/cmds."""
    texts = [_COMMENT.sub(lambda found: found[1] or "", file.read_text()) for file in files if not file.name.endswith("_test.go")]
    named = {variable: flag for text in texts for variable, flag in _variables(text)}
    found = {f"{command} {key} {type_}" for command in _LISTS for key, type_ in _listed(command, texts, named)}
    for command in _LISTS:
        if not any(one.startswith(f"{command} ") for one in found):
            raise SystemExit(f"no flags of `k3s {command}` are listed in these files")
    return frozenset(found)


def _variables(text: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for match in _FLAG.finditer(text):
        variable = _VARIABLE.search(text, 0, match.start())
        if variable:
            yield variable[1], _flag(match[1], _braced(text, match.end()))


def _listed(command: str, texts: Iterable[str], named: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for text in texts:
        for begin in _LISTS[command].finditer(text):
            inside = _braced(text, begin.end())
            rest = inside
            for match in _FLAG.finditer(inside):
                whole = match[0] + _braced(inside, match.end())
                yield _flag(match[1], whole)
                rest = rest.replace(whole, "", 1)
            for name in re.findall(r"\w+", rest):
                if name not in named:
                    raise SystemExit(f"`k3s {command}` has the flag {name}, which is in none of these files")
                yield named[name]


def _flag(kind: str, inside: str) -> tuple[str, str]:
    name = _NAME.search(inside)
    if name is None or kind not in _TYPES:
        raise SystemExit(f"a flag of the type {kind}, or without a name: {' '.join(inside.split())[:60]}")
    return name[1], _TYPES[kind]


def _braced(text: str, begin: int) -> str:
    """What lies between the brace before `begin` and the one that closes it; braces in text do not count."""
    deep, quoted = 1, False
    for index in range(begin, len(text)):
        character = text[index]
        if character == '"' and text[index - 1] != "\\":
            quoted = not quoted
        elif not quoted:
            deep += (character == "{") - (character == "}")
        if deep == 0:
            return text[begin:index]
    raise SystemExit("a list of flags does not end")
