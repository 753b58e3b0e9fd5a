"""Exceptions from drift detection that except nothing (failure U9): what they are for is then undone at every interval."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.kinds import CLUSTER_WIDE
from fluxstead.catalog.nearest import nearest
from fluxstead.catalog.schemas import Schemas
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with, texts_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import entries_of, mapping

EXCEPTS_NOTHING = warns(
    "releases/drift-exception", "U9", "HelmRelease web/site excepts /spec/replica of kind Deployment, which has no such place"
)


def exceptions(context: CheckContext) -> Iterator[Finding]:
    """`driftDetection.ignore`: JSON pointers, and the kind of the objects in which they lie (helm-controller: spec/v2)."""
    for item in context.tree.of("HelmRelease"):
        for entry in entries_of(mapping(item.spec, "driftDetection"), "ignore") if item.is_final else ():
            kind = mapping(entry, "target").get("kind")
            for path in texts_of(entry, "paths"):
                wrong = _wrong(context.schemas, kind if isinstance(kind, str) else None, path)
                if wrong and "${" not in f"{kind}{path}":
                    yield _finding(context, item, path, *wrong)


def _finding(context: CheckContext, item: AppliedObject, path: str, what: str, fix: str) -> Finding:
    return EXCEPTS_NOTHING(
        line_with(context.tree.store, item.document, path),
        what=f"{item} excepts {path} {what}",
        why="Flux goes on undoing, at every interval, what the exception is for",
        fix=fix,
    )


def _wrong(known: Schemas, kind: str | None, path: str) -> tuple[str, str] | None:
    """What is wrong with one exception, and what to write; None where nothing is, or it cannot be known."""
    if path and not path.startswith("/"):
        return "which is no JSON pointer", f"/{path.replace('.', '/')}"
    way = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    if kind is None:
        return None
    found = known.leads_somewhere(kind, way)
    if found is None:
        meant = None if kind in CLUSTER_WIDE else nearest(kind, known.kinds | CLUSTER_WIDE, 0.85)
        return (f"of kind {kind}, which nothing has", f"kind: {meant}") if meant else None
    return None if found else (f"of kind {kind}, which has no such place", "a path that such objects have")


RULES = (Rule(exceptions, (EXCEPTS_NOTHING,)),)
