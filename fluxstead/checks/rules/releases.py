"""HelmReleases that wait for each other (failure F2), or that Helm does not upgrade as a whole (F20)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject, releases_before
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import mapping

CRDS_NOT_UPGRADED = warns("releases/crds-not-upgraded", "F20", "HelmRelease web/site never upgrades the CRDs of its chart")
RELEASE_CIRCLE = refuses("references/circle", "F2", "HelmReleases wait for each other: web/site → web/db → web/site")


def circles(context: CheckContext) -> Iterator[Finding]:
    """Each cycle, from where the walk entered it."""
    tree = context.tree
    releases = {item.ref: item for item in tree.of("HelmRelease") if item.is_final}
    done: set[ObjectRef] = set()
    for name in releases:
        for way in _circles_from(releases, name, done):
            entered = releases[way[0]]
            yield RELEASE_CIRCLE(
                line_with(tree.store, entered.document, "dependsOn"),
                what=f"HelmReleases wait for each other: {' → '.join(one.qualified_name for one in [*way, way[0]])}",
                why="Flux installs a release only once those it depends on are ready, so it installs none of them (F2)",
                fix=f"the dependsOn of {way[0].qualified_name} without {way[1 % len(way)].qualified_name}",
            )


def _circles_from(releases: dict[ObjectRef, AppliedObject], start: ObjectRef, done: set[ObjectRef]) -> Iterator[list[ObjectRef]]:
    """Depth first, without recursion: a chain may be longer than Python's stack. `done`: those that were walked already."""
    path: list[tuple[ObjectRef, Iterator[ObjectRef]]] = []
    inside: set[ObjectRef] = set()
    following: ObjectRef | None = start
    while path or following is not None:
        if following in inside:
            names = [name for name, _ in path]
            yield names[names.index(following) :]
        elif following in releases and following not in done:
            inside.add(following)
            path.append((following, iter(releases_before(releases[following]))))
        following = next(path[-1][1], None) if path else None
        while path and following is None:
            name, _ = path.pop()
            inside.remove(name)
            done.add(name)
            following = next(path[-1][1], None) if path else None


def definitions(context: CheckContext) -> Iterator[Finding]:
    """Charts whose CRDs Helm only ever installs: Flux upgrades them if it is told to (helm-controller: `upgrade.crds`, Skip).

    Where `install.crds` is Skip too, or something else in the tree has the CRDs, they come from elsewhere on purpose.
    """
    tree = context.tree
    if tree.partial or any("crds" in one.chart for one in context.chart_values):
        return
    groups = {str(item.spec.get("group")) for item in tree.of("CustomResourceDefinition")}
    for one in context.chart_values:
        item, chart = one.item, context.facts.charts[one.chart]
        brings = context.facts.charts.brings(one.chart, one.version)
        policies = [mapping(item.spec, step).get("crds") for step in ("install", "upgrade")]
        if (
            item.ref.kind != "HelmRelease"
            or not item.is_final
            or not one.complete
            or policies[0] == "Skip"
            or policies[1] not in (None, "Skip")
            or not chart.crds_by_helm(one.values)
            or (brings is not None and {kind.group for kind in brings.crds} & groups)
        ):
            continue
        yield CRDS_NOT_UPGRADED(
            line_with(tree.store, item.document, "upgrade:"),
            what=f"{item} never upgrades the CRDs of {chart}",
            why="after an upgrade the API server drops or refuses fields of the new version (F20)",
            fix="upgrade: {crds: CreateReplace}",
        )


RULES = (Rule(circles, (RELEASE_CIRCLE,)), Rule(definitions, (CRDS_NOT_UPGRADED,)))
