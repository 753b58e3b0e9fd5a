"""Traefik's middlewares that routes name: a router that names a missing one answers 404 (traefik: pkg/server/middleware)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.ingress_class import ingress_class_of
from fluxstead.checks.reading.applied_tree import AppliedObject, annotation
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding
from fluxstead.core.shape import entries_of

MISSING_MIDDLEWARE = refuses(
    "ingress/missing-middleware", "F21", "Ingress web/site goes through middleware web-strip@kubernetescrd, which does not exist"
)

_ANNOTATION = "traefik.ingress.kubernetes.io/router.middlewares"
_GROUPS = frozenset({"traefik.io", "traefik.containo.us"})
_PROVIDER = "kubernetescrd"


def middlewares(context: CheckContext) -> Iterator[Finding]:
    """Those that Ingresses and IngressRoutes name and nothing in the tree makes."""
    tree = context.tree
    if tree.partial:
        return
    made = [item for item in tree.of("Middleware") if item.ref.group in _GROUPS]
    known = {f"{item.ref.namespace}-{item.ref.name}" for item in made}
    if not all(item.has_final_name for item in made):
        return
    for item, one in _named(context):
        name = one.name
        if "${" in name or one.provider not in {_PROVIDER, ""} or (name in known and one.provider):
            continue
        if name not in known and any(namespace in context.opaque_namespaces for namespace in _namespaces(name)):
            continue
        yield MISSING_MIDDLEWARE(
            line_with(tree.store, item.document, one.written),
            what=f"{item} goes through middleware {name}{'@' if one.provider else ''}{one.provider}, which does not exist",
            why="Traefik drops the route, and answers every request to it with 404",
            fix=f"{name if name in known else nearest(name, known) or '<namespace>-<name>'}@{_PROVIDER}",
        )


class _Named(NamedTuple):
    """A middleware as Traefik calls it, `<namespace>-<name>`, whose provider has it, and the word by which it is written."""

    name: str
    provider: str
    written: str


def _named(context: CheckContext) -> Iterator[tuple[AppliedObject, _Named]]:
    for item in context.tree.of("Ingress"):
        ours = item.is_final and "traefik" in (ingress_class_of(item) or "traefik")
        for text in (annotation(item, _ANNOTATION) or "").split(",") if ours else ():
            name, _, provider = text.strip().partition("@")
            if name:
                yield item, _Named(name, provider, name)
    for item in context.tree.of("IngressRoute"):
        for route in entries_of(item.spec, "routes") if item.is_final else ():
            for named in entries_of(route, "middlewares"):
                written = str(named.get("name"))
                full = f"{named.get('namespace') or item.ref.namespace}-{written}"
                yield item, _Named(full, "other" if "@" in written else _PROVIDER, written)


def _namespaces(name: str) -> Iterator[str]:
    """Every namespace that the name may begin with: both it and the middleware's own may have dashes."""
    parts = name.split("-")
    yield from ("-".join(parts[:count]) for count in range(1, len(parts)))


RULES = (Rule(middlewares, (MISSING_MIDDLEWARE,)),)
