"""ConfigMap coredns-custom, from which k3s's CoreDNS reads more configuration, whoever wrote it (failure U9).

Sources: k3s manifests/coredns.yaml, whose block `.:53` has `hosts` and imports `*.override`, and which imports `*.server`
beside it; coredns plugin/hosts/setup.go ("can only be used once per Server Block"; k3s-io/k3s#5312).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import mapping

HOSTS_TWICE = refuses(
    "dns/hosts-twice", "U9", "home.override in ConfigMap kube-system/coredns-custom has `hosts`, as k3s's own block"
)
HOSTS_TWICE_UNSURE = warns(
    "dns/hosts-twice-unsure", "U9", "home.override in ConfigMap kube-system/coredns-custom has `hosts`, as k3s's own block"
)
UNREAD_KEY = warns("dns/unread-key", "U9", "home.conf in ConfigMap kube-system/coredns-custom is not read")
ZONE_TWICE = refuses(
    "dns/zone-twice", "U9", "home.server in ConfigMap kube-system/coredns-custom has a second block for home.arpa:53"
)

_CUSTOM = ObjectRef("", "ConfigMap", "kube-system", "coredns-custom")
_WHY = "CoreDNS refuses all of it: it keeps the old configuration until it restarts, and then answers nobody"
_SERVER = "a key of its own that ends in .server, with a block such as home.arpa:53 { hosts { … } }"
_WORD = r"#[^\n]*|\"[^\"]*\"|[{}]|[^\s{}]+|\n"


class _Directive(NamedTuple):
    """The words of one line, how many blocks are open around it, the number of the outermost one, and whether it opens one."""

    words: tuple[str, ...]
    depth: int
    block: int
    opens: bool


def custom(context: CheckContext) -> Iterator[Finding]:
    """What is in the ConfigMap's keys."""
    item = context.tree.one(_CUSTOM)
    if item is None or not item.is_final:
        return
    zones: dict[str, str] = {".:53": "k3s's own"} if context.described else {}
    for key, text in mapping(item.object, "data").items():
        if not isinstance(text, str) or "${" in text:
            continue
        if key.endswith(".override"):
            if any(one.depth == 0 and one.words[:1] == ("hosts",) for one in _directives(text)):
                place = line_with(context.tree.store, item.document, f"{key}:")
                what = f"{key} in {item.ref} has `hosts`, which a server block can have only once, and k3s's own block has it"
                if context.described:
                    yield HOSTS_TWICE(place, what=what, why=_WHY, fix=_SERVER)
                else:
                    yield HOSTS_TWICE_UNSURE(place, what=what, why=_WHY, fix=_SERVER)
        elif key.endswith(".server"):
            yield from _blocks(context, item, key, text, zones)
        else:
            yield UNREAD_KEY(
                line_with(context.tree.store, item.document, f"{key}:"),
                what=f"{key} in {item.ref} is not read",
                why="CoreDNS imports the keys that end in .server or .override, and says nothing about others",
                fix=_SERVER,
            )


def _blocks(context: CheckContext, item: AppliedObject, key: str, text: str, zones: dict[str, str]) -> Iterator[Finding]:
    directives = list(_directives(text))
    hosts = [one.block for one in directives if one.depth == 1 and one.words[:1] == ("hosts",)]
    if len(hosts) > len(set(hosts)):
        yield HOSTS_TWICE(
            line_with(context.tree.store, item.document, f"{key}:"),
            what=f"{key} in {item.ref} has `hosts` twice in one server block",
            why=_WHY,
            fix="one `hosts` with all names",
        )
    for one in directives:
        for zone in one.words if one.depth == 0 and one.opens and not one.words[0].startswith("(") else ():
            name = zone.rstrip(",") if ":" in zone else f"{zone.rstrip(',')}:53"
            first = zones.setdefault(name, f"that of {key}")
            if first != f"that of {key}":
                yield ZONE_TWICE(
                    line_with(context.tree.store, item.document, f"{key}:"),
                    what=f"{key} in {item.ref} has a second block for {name}, beside {first}",
                    why=_WHY,
                    fix="one block for each zone",
                )


def _directives(text: str) -> Iterator[_Directive]:
    """The lines of a Corefile that say something."""
    depth = blocks = 0
    words: list[str] = []
    for match in re.finditer(_WORD, f"{text}\n"):
        part = match[0]
        if part.startswith("#"):
            continue
        if part in "{}\n":
            if words:
                blocks += part == "{" and depth == 0
                yield _Directive(tuple(words), depth, blocks, part == "{")
                words = []
            depth = max(depth + {"{": 1, "}": -1}.get(part, 0), 0)
        else:
            words.append(part)


RULES = (Rule(custom, (HOSTS_TWICE, HOSTS_TWICE_UNSURE, UNREAD_KEY, ZONE_TWICE)),)
