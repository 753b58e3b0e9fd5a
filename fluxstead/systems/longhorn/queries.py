"""Rules that ask for metrics which this Longhorn does not have (failure U9): they are answered with nothing, and never fire."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fluxstead.catalog.metrics import metrics_of, versions_with_metrics
from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import entries_of
from fluxstead.systems.longhorn.chart import LONGHORN

NO_SUCH_METRIC = warns("longhorn/no-such-metric", "U9", "PrometheusRule a/b asks for longhorn_volume_robustnes, which 1.9.0 lacks")

_NAME = re.compile(r"(?<![\w:$])longhorn_[a-z_]+(?![\w:])")


def rules(context: CheckContext) -> Iterator[Finding]:
    """Names that other versions have, or that are like one of this version's: others may be of another exporter."""
    found = [one for one in context.chart_values if context.facts.charts[one.chart] is LONGHORN]
    known = metrics_of("longhorn", found[0].version.removeprefix("v")) if len(found) == 1 else None
    if known is None:
        return
    version = found[0].version
    for item in context.tree.of("PrometheusRule"):
        if item.document.generated:
            continue  # fluxstead's own rules hold for every version, with those that the oldest keep silent
        asked = [str(rule.get("expr")) for group in entries_of(item.spec, "groups") for rule in entries_of(group, "rules")]
        for name in dict.fromkeys(_NAME.findall("\n".join(asked))):
            if name in known:
                continue
            meant = nearest(name, known, 0.9)
            had = [one for one in versions_with_metrics("longhorn") if name in (metrics_of("longhorn", one) or ())]
            if meant or had:
                yield NO_SUCH_METRIC(
                    line_with(context.tree.store, item.document, name),
                    what=f"{item} asks for {name}, which Longhorn {version} does not have"
                    + (f" ({had[0]} to {had[-1]} have it)" if had else ""),
                    why="Prometheus answers with nothing, and the alert never fires (U9)",
                    fix=meant or "a metric of this version",
                )


RULES = (Rule(rules, (NO_SUCH_METRIC,)),)
