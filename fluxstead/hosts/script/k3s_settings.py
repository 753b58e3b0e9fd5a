"""k3s's configuration files as k3s reads them: config.yaml, then config.yaml.d in the order of names, then arguments.

Only what such files are made of is read: a scalar or a list of scalars at each key of the first level. What is more than that
cannot be told, and is said to be so (k3s: pkg/configfilearg/parser.go).
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from fluxstead.hosts.script.k3s_model import Foreign
from fluxstead.hosts.script.tools import text_of

Values = Optional[Tuple[str, ...]]
TOP_KEY = re.compile(r"""(?P<key>[A-Za-z0-9_-]+\+?|"[^"\\]+"|'[^']+')\s*:(?:\s+(?P<rest>.*))?$""")
SHORT = {"d": "data-dir", "t": "token", "s": "server", "c": "config"}
YES = ("true", "yes", "on")
NO = ("false", "no", "off")


def lines_of(path: str, text: str) -> Optional[List[Foreign]]:
    """The keys of a file with their values and line numbers; None where not even its keys can be told."""
    found: List[Tuple[int, str, str, List[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.rstrip()
        if not bare or bare.lstrip().startswith("#") or bare in ("---", "..."):
            continue
        head = None if line[:1] in (" ", "\t", "-") else TOP_KEY.match(bare)
        if head:
            found.append((number, head["key"].strip("\"'"), head["rest"] or "", []))
        elif found and line[:1] in (" ", "\t", "-"):
            found[-1][3].append(bare)
        else:
            return None
    return [
        Foreign(path, number, SHORT.get(key.rstrip("+"), key.rstrip("+")), key.endswith("+"), _value(rest, more))
        for number, key, rest, more in found
    ]


def _value(rest: str, more: Sequence[str]) -> Values:
    pieces = _pieces(rest)
    if pieces is None:
        return None
    if more:
        items = [re.match(r"\s*-(?:\s+(.*))?$", line) for line in more]
        return None if pieces or not all(items) else _all_told(_item(found[1] or "") for found in items if found)
    if rest.startswith("["):
        return _all_told(_scalar(piece) for piece in pieces)
    return _all_told([_scalar(pieces[0])]) if pieces else ()


def _item(text: str) -> Optional[str]:
    pieces = None if text.startswith("[") else _pieces(text)
    return None if pieces is None else _scalar(pieces[0]) if pieces else ""


def _all_told(values: Iterable[Optional[str]]) -> Values:
    found = list(values)
    return None if None in found else tuple(value for value in found if value is not None)


def _pieces(text: str) -> Optional[List[str]]:
    """The scalars on a line, without its comment: one, or those of a list in brackets; None where it is neither."""
    listed, closed, quote, pieces, piece = text.startswith("["), False, "", [], ""
    before = " "
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote and not (quote == '"' and before == "\\") else quote
            # Two backslashes are one that escapes nothing.
            before = "" if before == "\\" and character == "\\" else character
            piece += character
            continue
        if character == "#" and before.isspace():
            break
        if listed and (at == 0 or character in ",]"):
            closed = character == "]"
            pieces += [piece] if piece.strip() else []
            piece = ""
        elif (closed and not character.isspace()) or (listed and character in "[{}"):
            return None
        else:
            # Two single quotes within such a text are one of its own.
            again = character == before == "'" and piece.lstrip().startswith("'")
            quote = character if again or (character in "\"'" and not piece.strip()) else ""
            piece += character
        before = character
    if quote or listed != closed:
        return None
    return [one.strip() for one in [*pieces, piece] if one.strip()]


def _scalar(bare: str) -> Optional[str]:
    """One value as k3s hands it on; None where it takes more than this to tell."""
    if bare[:1] == '"':
        try:
            return str(json.loads(bare))
        except ValueError:
            return None
    if bare[:1] == "'":
        return bare[1:-1].replace("''", "'") if re.fullmatch(r"'(?:[^']|'')*'", bare) else None
    if bare[:1] in tuple("|>&*!{}[]%@`") or bare.startswith(("- ", "? ")) or ": " in bare or bare.endswith(":"):
        return None
    return "" if bare in ("~", "null") else bare


def configuration_files(main: str, instead: Mapping[str, str]) -> List[Tuple[str, str]]:
    """(path, text) of the files that k3s reads, in its order; `instead` holds what some will be."""
    folder = f"{main}.d"
    names = {name for name in (os.listdir(folder) if os.path.isdir(folder) else []) if name.lower().endswith((".yaml", ".yml"))}
    names |= {os.path.basename(path) for path in instead if os.path.dirname(path) == folder}
    paths = [main, *(os.path.join(folder, name) for name in sorted(names))]
    return [(path, instead.get(path, text_of(path))) for path in paths if path in instead or os.path.isfile(path)]


def merged(files: Iterable[Tuple[str, str]], arguments: Sequence[str] = ()) -> Tuple[Dict[str, Values], Tuple[str, ...]]:
    """(the values in effect by key, the files that could not be told)."""
    values: Dict[str, Values] = {}
    unread: List[str] = []
    for path, text in files:
        lines = lines_of(path, text)
        if lines is None:
            unread.append(path)
        for line in lines or ():
            before = values.get(line.key, ()) if line.adds else ()
            values[line.key] = None if line.value is None or before is None else (*before, *line.value)
    for key, found in arguments_of(arguments):
        before = values.get(key, ())
        values[key] = None if before is None else (*before, found)
    return values, tuple(unread)


def arguments_of(words: Sequence[str]) -> Iterator[Tuple[str, str]]:
    """(key, value) of k3s's arguments, after `server` or `agent`."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            continue
        key, equals, value = word.lstrip("-").partition("=")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("-") else "true"
        yield SHORT.get(key, key), value


def same_setting(told: Any, found: Values) -> bool:
    """Whether what is in effect is what is told; the order of a list says nothing."""
    if found is None:
        return False
    if isinstance(told, list):
        return sorted(_plain(str(value)) for value in told) == sorted(
            _plain(piece) for value in found for piece in value.split(",")
        )
    # What is absent is as k3s has it by default: off, or nothing.
    return _plain(found[-1] if found else "") == _plain(_word(told)) or (not found and _plain(_word(told)) in ("", "false"))


def _plain(text: str) -> str:
    low = text.strip().lower()
    return "true" if low in YES else "false" if low in NO else text.strip()


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
