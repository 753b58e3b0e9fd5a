"""Spoilt copies of YAML files: other types, lost, doubled and misspelt keys, and text that is no YAML at all."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import yaml

from fluxstead.checks.reading.documents import documents_in

Files = Mapping[str, str | bytes]
"""Each file's content by its path."""

DEEP = 3000
_BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))])
"""A few hundred bytes that stand for more than anybody has memory for."""

PLAIN: Sequence[Any] = (
    *(None, True, False, 0, -1, 1, 65536, 10**12, 10**30, 1.5, -0.0, float("nan"), float("inf")),
    *("", " ", "zebra", "true", "a/b", "/", ".", "..", "../../..", "a\nb", "\u00e9\u2028", "\x00", "%s{}", "x" * 5000),
    *(
        "${X}",
        "${X:=${Y}}",
        "${",
        "$",
        "@",
        "*",
        "^1.0",
        "1.2.3-",
        "v1",
        "0",
        "99999999999999999999.1",
        "latest",
        "a:b@c:d",
        "9" * 5000 + ".1.1",
    ),
    *(
        "${a:=" + "x" * 50_000,
        "${a" * 3000,
        "a" * 50_000 + "://",
        "1." * 3000,
        "(" * 3000,
        "a-" * 3000,
        "A" * 3000 + "!",
        "1_" * 20_000 + "x",
        "9" * 5000,
    ),
    *("1e400Gi", "-1Gi", "9" * 40 + "Ei", "1h1h", "9" * 30 + "h", "1d", "0s", "10.0.0.0/33", "::/0", "1.2.3", "http://[", "oci://"),
    *([], {}, [[]], [{}], [None], [1, "a", None], {"a": None}, {"": ""}, {"name": []}, {"name": {"a": 1}}, [{"name": 1}]),
    *({1: 2}, {None: None}, {True: False}, {1.5: []}, {"kind": 1}, b"\xff"),
)
"""Values of every type, at the edges of what is read of them."""

RAW = (
    *(
        "1e400",
        ".nan",
        "-.inf",
        "0x",
        "0o9",
        "1:99:99",
        "9" * 5000,
        "0x" + "f" * 5000,
        "2020-13-45",
        "2001-12-14t21:59:43.10-05:00",
        "=",
        "<<",
        "y",
    ),
    *('!!binary "=="', '!!binary "/w=="', "!!timestamp zebra", "!!timestamp 2001-99-99", "!!int zebra", "!!int ''", "!!float ''"),
    *("!!bool zebra", "!!null x", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]", "!!map [a]", "!!seq {a: 1}", "!!str {a: 1}"),
    *("!custom x", "!!python/object:os.system {}", "!!python/name:os.system", '"\\ud800"', '"\\U00110000"', "? [a]", "{[a]: b}"),
    *("{{a: b}: c}", "{<<: 3}", "{<<: [3]}", "{<<: {a: 1}, a: 2}", "{=: 1}", "{null: 1}", "{!!binary 'eA==': 1}", "{a: 1, a: 2}"),
    *("&a [*a]", "&a {b: *a}", "&a {<<: *a}", "*nowhere", "[&a 1, &a 2, *a]", "{&a a: *a}", "|", ">-", "`", "%", "@a", "[", "}"),
    *("[" * DEEP + "]" * DEEP, "{a: " * DEEP + "}" * DEEP, "[" * 600 + "]" * 600, "{a: " * 300 + "1" + "}" * 300),
)
"""What no dumper writes, on one line."""

WHOLE = (
    *(
        "",
        "\n",
        "---\n",
        "...\n",
        "# nothing\n",
        "--- |\n x\n",
        "---\n" * 300,
        "\ufeff",
        "\ufeffa: 1\n",
        "\t",
        "a:\n\tb: 1\n",
        "{}",
        "[]",
    ),
    *("null", "zebra", "3", "- - - 1", "? a\n: b\n", "%YAML 1.2\n---\na: 1\n", "%TAG ! x\n---\n", "a: 1\n--- b\n", _BOMB),
    *("- " * DEEP + "1\n", "x: " + "a" * 100_000, "".join(f"{n}: 1\n" for n in range(2000)), "\x00", "\x07", "a: \x85b\n"),
)
"""Contents of a whole file."""
BYTES = (b"\xff\xfe", b"\xef\xbb\xbfa: 1\n", "a: 1\n".encode("utf-16"), b"a: \xc3\x28\n", b"\x80" * 50, b"\x00" * 50)

Keys = tuple[Any, ...]


class _Dumper(yaml.SafeDumper):
    """Plain data, and marks where a raw text comes."""


def places(data: Any, way: Keys = ()) -> Iterator[Keys]:
    """Every value in `data`, by the keys that lead there."""
    yield way
    if len(way) > 60:
        return
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inside:
        yield from places(value, (*way, key))


def at(data: Any, way: Keys) -> Any:
    """The value at the end of a way."""
    for key in way:
        data = data[key]
    return data


class Spoiler:
    """Spoils files; `random` decides what and how, and the `pool` lends keys and whole values of other files."""

    def __init__(self, random: Random, pool: Pool) -> None:
        self._random = random
        self._pool = pool
        self._raw: dict[str, str] = {}

    def spoilt(self, files: Mapping[str, str]) -> Files:
        """A copy of the files with one to four things spoilt, mostly in one of them."""
        found: dict[str, str | bytes] = dict(files)
        for _ in range(self._random.choice((1, 1, 2, 4))):
            path = self._random.choice(sorted(found))
            content = found[path]
            if isinstance(content, str):
                found[path] = self._content(content)
        if self._random.random() < 0.03:
            del found[self._random.choice(sorted(found))]
        return found

    def _content(self, text: str) -> str | bytes:
        chance = self._random.random()
        if chance < 0.03:
            return self._random.choice(BYTES)
        if chance < 0.08:
            return self._random.choice(WHOLE)
        if chance < 0.16:
            return self._text(text)
        read = documents_in(text, "")
        if any(document.problem for document in read):
            return self._text(text)
        documents = [document.data for document in read]
        for _ in range(self._random.choice((1, 1, 1, 2, 5))):
            self._spoil(documents)
        return self._dumped(documents)

    def _text(self, text: str) -> str:
        """Characters and lines spoilt, whatever they mean."""
        where = self._random.randrange(len(text) + 1)
        lines = text.splitlines(keepends=True) or [""]
        line = self._random.randrange(len(lines))
        ways: list[Callable[[], str]] = [
            lambda: text[:where],
            lambda: text[where:],
            lambda: text[:where] + self._random.choice("\t\x00\ufeff\r\u2028:-[]{}&*!|>'\"%@`#,?\n") + text[where:],
            lambda: text[:where] + text[where + 1 :],
            lambda: "".join([*lines[:line], *lines[line + 1 :]]),
            lambda: "".join([*lines[: line + 1], *lines[line:]]),
            lambda: "".join([*lines[:line], f" {lines[line]}", *lines[line + 1 :]]),
            lambda: "".join([*lines[:line], lines[line].partition(":")[0] + f": {self._random.choice(RAW)}\n", *lines[line + 1 :]]),
            lambda: text.replace("\n", "\r\n"),
            lambda: f"{text}---\n{text}",
            lambda: f"{_BOMB}\n---\n{text}",
        ]
        return self._random.choice(ways)()

    def _spoil(self, documents: list[Any]) -> None:
        way = self._random.choice(list(itertools.islice(places(documents), 5000)))
        if not way:
            documents.append(self._value())
            return
        holder, key = at(documents, way[:-1]), way[-1]
        old = holder[key]
        match self._random.randrange(11):
            case 0 | 1 | 2 | 3:
                holder[key] = self._value()
            case 4:
                del holder[key]
            case 5:
                holder[key] = [old, copy.deepcopy(old)] if self._random.random() < 0.5 else {self._pool.key(self._random): old}
            case 6 if isinstance(old, dict):
                old[self._pool.key(self._random)] = self._value()
            case 7 if isinstance(old, list):
                old.append(self._value())
            case 8 if isinstance(holder, dict):
                new = self._random.choice([self._pool.key(self._random), f"{key}x", 1, None, True, 1.5, "", "a.b/c"])
                holder[new] = holder.pop(key)
            case 9 if isinstance(old, str):
                holder[key] = self._random.choice([f"{old}x", old[:-1], old.upper(), f" {old}", f"${{{old}}}", f"{old}/{old}"])
            case _:
                holder[key] = self._pool.like(self._random, key, old)

    def _value(self) -> Any:
        if self._random.random() < 0.3:
            mark = f"raw-{len(self._raw)}-text"
            self._raw[mark] = self._random.choice(RAW)
            return mark
        if self._random.random() < 0.2:
            return self._pool.value(self._random)
        return copy.deepcopy(self._random.choice(PLAIN))

    def _dumped(self, documents: list[Any]) -> str:
        flow = self._random.choice((None, False, True))
        text: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, default_flow_style=flow, width=10**6)
        for mark, raw in self._raw.items():
            text = text.replace(mark, raw)
        return text


class Pool:
    """The values of many files, by their keys."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._by_key: dict[str, list[Any]] = {}
        for text in texts:
            for document in documents_in(text, ""):
                for way in places(document.data):
                    if way and isinstance(way[-1], str):
                        self._by_key.setdefault(way[-1], []).append(at(document.data, way))
        self._keys = sorted(self._by_key)

    def key(self, random: Random) -> str:
        """A key of any of them."""
        return random.choice(self._keys)

    def value(self, random: Random) -> Any:
        """A value of any of them."""
        return copy.deepcopy(random.choice(self._by_key[self.key(random)]))

    def like(self, random: Random, key: Any, old: Any) -> Any:
        """What stands elsewhere under the same key, such as another kind."""
        return copy.deepcopy(random.choice(self._by_key.get(key, [old]) if isinstance(key, str) else [old]))
