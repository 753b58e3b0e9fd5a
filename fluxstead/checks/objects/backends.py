"""Where requests go: the Services that an Ingress, a route of the Gateway API or one of a controller's own kinds names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.system_facts import RouteKind
from fluxstead.core.shape import entries_of, mapping

_DIGITS = 5
"""No port number is higher."""


class Backend(NamedTuple):
    """A Service, and the number or the name of its port; None where the route does not say."""

    namespace: str
    name: str
    port: int | str | None


def routes_in(tree: AppliedTree, kinds: Iterable[RouteKind]) -> Iterator[tuple[AppliedObject, Backend]]:
    """Every route with each of its backends; `kinds`: besides Ingresses."""
    for item in tree.of("Ingress"):
        yield from ((item, one) for one in _of_ingress(item))
    for kind in kinds:
        for item in tree.of(kind.kind):
            if item.ref.group not in kind.groups:
                continue
            for rule in entries_of(item.spec, kind.rules):
                yield from ((item, one) for one in _named(item, rule, kind.backends))


def _of_ingress(item: AppliedObject) -> Iterator[Backend]:
    holders = [mapping(item.spec, "defaultBackend")]
    for rule in entries_of(item.spec, "rules"):
        holders += [mapping(path, "backend") for path in entries_of(mapping(rule, "http"), "paths")]
    for service in (mapping(holder, "service") for holder in holders):
        if service:
            port = mapping(service, "port")
            yield Backend(item.ref.namespace, str(service.get("name")), _port(port.get("name") or port.get("number")))


def _named(item: AppliedObject, holder: Mapping[str, Any], key: str) -> Iterator[Backend]:
    """Services only, not a controller's own (`api@internal`) or objects of other kinds."""
    for one in entries_of(holder, key):
        name = str(one.get("name"))
        if one.get("kind", "Service") == "Service" and not one.get("group") and "@" not in name:
            yield Backend(str(one.get("namespace") or item.ref.namespace), name, _port(one.get("port")))


def _port(value: object) -> int | str | None:
    if isinstance(value, str):
        return int(value) if value.isdecimal() and len(value) <= _DIGITS else value
    return value if isinstance(value, int) else None
