"""The list of known releases in docs/catalog.md."""

import textwrap
from collections.abc import Iterable, Mapping

BEGIN, END = "<!-- releases: begin -->\n", "<!-- releases: end -->"


def with_releases(page: str, charts: Mapping[str, Iterable[str]]) -> str:
    """The page with the releases of these charts, oldest first."""
    paragraphs = [
        textwrap.fill(f"**{chart}**, {len(releases)} releases: {', '.join(runs(releases))}", 120, break_on_hyphens=False)
        for chart, found in sorted(charts.items())
        for releases in [list(found)]
    ]
    return page.partition(BEGIN)[0] + BEGIN + "\n\n".join(paragraphs) + "\n" + END + page.partition(END)[2]


def runs(releases: Iterable[str]) -> list[str]:
    """Patch releases without a gap as `first to last`."""
    found: list[list[str]] = []
    for release in releases:
        line, _, patch = release.rpartition(".")
        if found and found[-1][-1] == f"{line}.{int(patch) - 1}":
            found[-1].append(release)
        else:
            found.append([release])
    return [one[0] if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in found]
