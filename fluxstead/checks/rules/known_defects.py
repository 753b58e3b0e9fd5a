"""Releases that are known to be broken in a way that costs data, backups or the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.defects import ETCD_OF_K3S, LAST, Defect, defects_of
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.version import Version

KNOWN_DEFECT = warns("versions/known-defect", "U9", "chart site 1.9.0 has a known defect: every pod can read every Secret")


def of_chart(chart: str, version: Version, place: Source) -> Iterator[Finding]:
    """What is known of a chart's release, told at `place`; of what is described, its own system says it at the version's line."""
    for defect in defects_of(chart, version):
        yield _told(chart, version, defect, place)


def releases(context: CheckContext) -> Iterator[Finding]:
    """The releases that people wrote."""
    for one in context.chart_values:
        exact = one.exact
        if exact and not one.item.document.generated:
            yield from of_chart(one.chart, exact, line_with(context.tree.store, one.item.document, one.version))


def kubernetes(context: CheckContext) -> Iterator[Finding]:
    """k3s itself; one server alone keeps its data in SQLite, unless somebody chose otherwise."""
    servers = [node for node in context.nodes if node.role == "server" and node.joined]
    version, place = context.platform.kubernetes if context.platform else None, context.places.get("version")
    if version and place and len(servers) > 1 and ETCD_OF_K3S.is_in(version):
        yield _told("k3s", version, ETCD_OF_K3S, place)


def _told(name: str, version: Version, defect: Defect, place: Source) -> Finding:
    return KNOWN_DEFECT(
        place,
        what=f"{name} {version} has a known defect: {defect.what}",
        why=f"it is reported and has been fixed ({defect.source})",
        fix=f"{LAST[name]}, its last; {defect.cure} is the first release without it"
        if name in LAST
        else f"{defect.cure}, the first release without it, or a later one",
    )


RULES = (Rule(releases, (KNOWN_DEFECT,)), Rule(kubernetes, (KNOWN_DEFECT,)))
