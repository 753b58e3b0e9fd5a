"""Checks over the tree's objects: what the cluster's own versions would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from fluxstead.catalog.chart_values import unknown_values
from fluxstead.catalog.schemas import Schemas
from fluxstead.core.findings import Finding, Source, error, warning
from fluxstead.core.manifest import ObjectRef, ref_of
from fluxstead.tree.render import Tree, TreeFile


def findings_of(tree: Tree, longhorn: str) -> Iterator[Finding]:
    """Everything wrong with the tree's objects, in the order of its files."""
    schemas = _schemas(tree.platform.kubernetes, tree.platform.flux, longhorn)
    owners: dict[ObjectRef, TreeFile] = {}
    for file in tree:
        yield from _against_schema(file, schemas)
        if file.object["kind"] == "HelmRelease":
            yield from _against_chart(file)
        if "metadata" in file.object:
            yield from _second_owner(file, owners)


@cache
def _schemas(kubernetes: str, flux: str, longhorn: str) -> Schemas:
    return Schemas(kubernetes=kubernetes, flux=flux, longhorn=longhorn)


def _against_schema(file: TreeFile, schemas: Schemas) -> Iterator[Finding]:
    for problem in schemas.problems(file.object):
        yield error(
            "tree/schema",
            file.source,
            what=f"{file.path}: {problem.path}: {problem.message}",
            why="the API server of this version refuses the object, and its layer never becomes ready",
            write="a value that the schema of the cluster's version admits",
        )


def _against_chart(file: TreeFile) -> Iterator[Finding]:
    spec = file.object["spec"]
    chart = spec["chart"]["spec"]
    for unknown in unknown_values(chart["chart"], chart["version"], spec.get("values", {})) or []:
        # Without a key that is like it, it may be one that only the chart's templates know.
        say = error if unknown.nearest else warning
        known_in = f"; known in {unknown.known_in}" if unknown.known_in else ""
        yield say(
            "tree/chart-value",
            file.source,
            what=f"chart {chart['chart']} {chart['version']} has no value `{unknown.path}`{known_in}",
            why="Helm ignores unknown values without a word, and the default stays in force (F20)",
            write=unknown.nearest or "a key of that chart version's values.yaml",
        )


def _second_owner(file: TreeFile, owners: dict[ObjectRef, TreeFile]) -> Iterator[Finding]:
    ref = ref_of(file.object)
    first = owners.setdefault(ref, file)
    if first is not file:
        place = f"line {first.source.line}" if first.source.file == file.source.file else str(first.source)
        yield error(
            "tree/two-owners",
            Source(file.source.file, file.source.line),
            what=f"{ref} is already in {first.path} (from {place})",
            why="two Kustomizations would take it from each other at every reconcile, and prune it (F8)",
            write="another name here, or only one of the two",
        )
