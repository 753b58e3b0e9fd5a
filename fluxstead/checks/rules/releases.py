"""HelmReleases that wait for each other (failure F2)."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject, release_key, releases_before
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding

RELEASE_CIRCLE = refuses("references/circle", "F2", "HelmReleases wait for each other: web/site → web/db → web/site")


def circles(context: CheckContext) -> Iterator[Finding]:
    """Each cycle, from where the walk entered it."""
    tree = context.tree
    releases = {release_key(item): item for item in tree.of("HelmRelease") if item.is_final}
    done: set[str] = set()
    for name in releases:
        for way in _circles_from(releases, name, done):
            entered = releases[way[0]]
            yield RELEASE_CIRCLE(
                line_with(tree.store, entered.document, "dependsOn"),
                what=f"HelmReleases wait for each other: {' → '.join([*way, way[0]])}",
                why="Flux installs a release only once those it depends on are ready, so it installs none of them (F2)",
                fix=f"the dependsOn of {way[0]} without {way[1 % len(way)]}",
            )


def _circles_from(releases: dict[str, AppliedObject], start: str, done: set[str]) -> Iterator[list[str]]:
    """Depth first, without recursion: a chain may be longer than Python's stack. `done`: those that were walked already."""
    path: list[tuple[str, Iterator[str]]] = []
    inside: set[str] = set()
    following: str | None = start
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


RULES = (Rule(circles, (RELEASE_CIRCLE,)),)
