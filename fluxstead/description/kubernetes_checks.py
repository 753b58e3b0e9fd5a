"""Rules for k3s as it is described: its servers, its binaries, and the keys of its own configuration.

Sources: docs.k3s.io: datastore/ha-embedded (SQLite has one server; etcd needs more than half of its members), and the flags of each
version (`catalog.k3s_options`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fluxstead.catalog.k3s_options import OptionType, first_with, latest_read, options_of
from fluxstead.catalog.nearest import nearest
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.description.kubernetes import KubernetesSettings
from fluxstead.hosts.k3s_config import SAID_ELSEWHERE, listed
from fluxstead.nodes.model import Node
from fluxstead.tree.asks import HostSetting

CONTRADICTED = refuses(
    "k3s/contradiction", "U9", "k3s's etcd-expose-metrics is to be false (it is described so) and true", "the description"
)
EVEN_SERVERS = warns("k3s/even-servers", "U7", "2 servers keep the cluster in etcd", "the description")
MAYBE_NO_SUCH_KEY = warns("k3s/key-unsure", "F20", "no k3s up to 1.36.3 has the key zebra", "the description")
NEEDS_ETCD = refuses("k3s/needs-etcd", "U7", "etcdSnapshots are described, and the datastore is sqlite", "the description")
NO_BINARY = refuses("k3s/no-binary", "U7", "k3s3 is arm64, and there is no digest for arm64", "the description")
NO_SUCH_KEY = refuses("k3s/unknown-key", "F20", "k3s v1.33.1+k3s1 has no key kubelet-args", "the description")
ONE_SERVER_ONLY = refuses("k3s/one-server-only", "U7", "3 servers are described, and the datastore is sqlite", "the description")
SAID_TWICE = refuses("k3s/own-key", "U7", "config.node-name is not taken from here", "the description")
WRONG_KEY_TYPE = refuses("k3s/key-type", "F20", "config.etcd-arg: expected a list of texts, found a mapping", "the description")
CHECKS = (
    CONTRADICTED,
    EVEN_SERVERS,
    MAYBE_NO_SUCH_KEY,
    NEEDS_ETCD,
    NO_BINARY,
    NO_SUCH_KEY,
    ONE_SERVER_ONLY,
    SAID_TWICE,
    WRONG_KEY_TYPE,
)

_EXPECTED: dict[OptionType, tuple[str, str]] = {
    "bool": ("true or false", "true or false"),
    "int": ("a whole number", "a whole number"),
    "list": ("a list of texts", "[…], each value a text"),
    "string": ("a text", "the value in quotes"),
}


def findings_of(kubernetes: KubernetesSettings, nodes: Sequence[Node], settings: Sequence[HostSetting]) -> Iterator[Finding]:
    """What is wrong with k3s and its machines together; `settings`: what systems ask of its configuration."""
    yield from _servers(kubernetes, nodes)
    yield from _etcd(kubernetes, nodes)
    yield from _binaries(kubernetes, nodes)
    for key, value in kubernetes.config.items():
        yield from _key(kubernetes, key, value)
    if settings:
        yield from _contradictions(kubernetes, settings)


def _servers(kubernetes: KubernetesSettings, nodes: Sequence[Node]) -> Iterator[Finding]:
    servers = sum(node.role == "server" and node.state != "leaving" for node in nodes)
    if servers > 1 and kubernetes.datastore == "sqlite":
        yield ONE_SERVER_ONLY(
            kubernetes.source_of("datastore"),
            what=f"{servers} servers are described, and the datastore is sqlite",
            why="SQLite is a file of one server: each of the others would begin a cluster of its own",
            fix="datastore: etcd; or role: agent for all machines but one",
        )
    elif servers > 1 and servers % 2 == 0:
        yield EVEN_SERVERS(
            kubernetes.source_of("datastore"),
            what=f"{servers} servers keep the cluster in etcd",
            why=f"etcd needs more than half of them: it bears no more losses than with {servers - 1}, and more can be lost",
            fix=f"{servers + 1} servers, or {servers - 1}",
        )


def _etcd(kubernetes: KubernetesSettings, nodes: Sequence[Node]) -> Iterator[Finding]:
    if kubernetes.datastore == "etcd":
        return
    said = [(kubernetes.source_of("etcdSnapshots"), "etcdSnapshots are described")] if kubernetes.etcd_snapshots else []
    said += [
        (kubernetes.source_of("config", key), f"config.{key} is described") for key in kubernetes.config if key.startswith("etcd-")
    ]
    said += [(node.source_of("rejoin"), f"{node.name} is to rejoin other servers") for node in nodes if node.rejoin]
    for source, what in said:
        yield NEEDS_ETCD(
            source,
            what=f"{what}, and the datastore is sqlite",
            why="it would have no effect: SQLite has one server and no snapshots",
            fix="datastore: etcd; or none of it",
        )


def _binaries(kubernetes: KubernetesSettings, nodes: Sequence[Node]) -> Iterator[Finding]:
    if kubernetes.binaries is None:
        return
    known = kubernetes.binaries.digests()
    for node in nodes:
        if node.architecture and node.architecture not in known:
            yield NO_BINARY(
                kubernetes.source_of("binaries"),
                what=f"{node.name} is {node.architecture}, and there is no digest for {node.architecture}",
                why="no binary is started that is not the one whose digest was reviewed, so the machine would not join",
                fix="`./run upgrade kubernetes --lock`, which adds it",
            )


def _key(kubernetes: KubernetesSettings, key: str, value: Any) -> Iterator[Finding]:
    known, source = options_of(kubernetes.version), kubernetes.source_of("config", key)
    if key in SAID_ELSEWHERE:
        yield SAID_TWICE(
            source,
            what=f"config.{key} is not taken from here",
            why="two places would say it, and one of them be wrong",
            fix=SAID_ELSEWHERE[key],
        )
    elif key not in known.types:
        yield from _unknown(kubernetes, key)
    elif not _fits(value, known.types[key]):
        expected, fix = _EXPECTED[known.types[key]]
        yield WRONG_KEY_TYPE(
            source,
            what=f"config.{key}: expected {expected}, found {_found(value)}",
            why="k3s would read something else than was meant, or not start",
            fix=fix,
        )


def _unknown(kubernetes: KubernetesSettings, key: str) -> Iterator[Finding]:
    known, source = options_of(kubernetes.version), kubernetes.source_of("config", key)
    why = "k3s only warns of it in its log, and starts without it"
    if key.endswith("+"):
        near: str | None = key.removesuffix("+")
    else:
        near = nearest(key, known.types.keys() - SAID_ELSEWHERE.keys())
    if known.read:
        first = first_with(key)
        what = f"k3s {kubernetes.version} has no key {key}{f' ({first} is the first that has it)' if first else ''}"
        yield NO_SUCH_KEY(source, what=what, why=why, fix=near or "a flag of `k3s server` or `k3s agent`, without its dashes")
    else:
        what = f"no k3s that is known ({kubernetes.version} is not; the newest is {latest_read()}) has the key {key}"
        yield MAYBE_NO_SUCH_KEY(source, what=what, why=why, fix=f"{near}, unless this version knows it" if near else "no such key")


def _fits(value: Any, type_: OptionType) -> bool:
    if type_ == "list":
        return value != [] and all(_fits(one, "string") for one in listed(value))
    if type_ == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, bool) if type_ == "bool" else isinstance(value, str) and value.isprintable() and value != ""


def _found(value: Any) -> str:
    match value:
        case str():
            return _found_text(value)
        case list():
            inside = _found(next((one for one in value if not _fits(one, "string")), None))
            return f"a list with {inside} in it" if value else "an empty list"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
    return "nothing" if value is None else "a mapping"


def _found_text(value: str) -> str:
    if value.isprintable():
        return f"the text {value[:40]!r}" if value else "an empty text"
    return "a text in more than one line" if "\n" in value else "a text with characters that are not shown"


def _contradictions(kubernetes: KubernetesSettings, settings: Sequence[HostSetting]) -> Iterator[Finding]:
    """Of a key with one value, the description and all systems can only want the same."""
    types = options_of(kubernetes.version).types
    described = (
        HostSetting(key, value, "it is described so", "no such key", kubernetes.source_of("config", key))
        for key, value in kubernetes.config.items()
        if key in types and _fits(value, types[key])
    )
    first: dict[str, HostSetting] = {}
    for setting in (*settings, *described):
        other = first.setdefault(setting.key, setting)
        if types.get(setting.key) != "list" and other.value != setting.value:
            yield CONTRADICTED(
                setting.source,
                what=f"k3s's {setting.key} is to be {_found(setting.value)} ({setting.purpose}) and {_found(other.value)}"
                f" ({other.purpose}: {other.source})",
                why="it has one value, and one of the two would not work",
                fix=f"{setting.instead}; or {other.instead}",
            )
