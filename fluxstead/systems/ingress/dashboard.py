"""Traefik's dashboard where everybody finds it, and its routes where something else answers already (failures F7, F21)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.ingress_class import ingress_class_of
from fluxstead.checks.reading.applied_tree import AppliedObject, annotation
from fluxstead.checks.rule import Rule
from fluxstead.checks.rules.ownership import SAME_ROUTE
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import entries_of, mapping
from fluxstead.systems.ingress.charts import TRAEFIK
from fluxstead.systems.ingress.routers import ENTRY_POINTS, TraefikRoute, Way, exposed, guarded_as_a_whole, routers

OPEN_DASHBOARD = warns(
    "ingress/open-dashboard", "F21", "HelmRelease traefik/traefik shows Traefik's dashboard to everyone on websecure"
)

_ENTRY_POINTS = "traefik.ingress.kubernetes.io/router.entrypoints"
_TLS = "traefik.ingress.kubernetes.io/router.tls"
_PRIORITY = "traefik.ingress.kubernetes.io/router.priority"


def dashboards(context: CheckContext) -> Iterator[Finding]:
    """Routes to the dashboard that no middleware guards, on an entry point that is reached from outside."""
    for one in routers(context):
        if not one.to_dashboard or one.guarded:
            continue
        points = sorted(one.entry_points or ENTRY_POINTS)
        public = [name for name in points if exposed(context, name) and not guarded_as_a_whole(context, name)]
        if public:
            yield OPEN_DASHBOARD(
                one.place,
                what=f"{one.item} shows Traefik's dashboard to everyone on {' and '.join(public)}",
                why="it asks for no password, and tells every host, route and middleware of the cluster (F21)",
                fix="a middleware in front of it that asks who it is; or entryPoints: [traefik], and `kubectl port-forward`",
            )


def collisions(context: CheckContext) -> Iterator[Finding]:
    """Two routes of Traefik's that answer the same; which of two Traefiks has one without a class, nobody says."""
    traefiks = [one for one in context.chart_values if context.facts.charts[one.chart] is TRAEFIK]
    several = len({one.item.ref for one in traefiks}) > 1
    owners: dict[tuple[str, bool, Way], list[tuple[AppliedObject, frozenset[str]]]] = defaultdict(list)
    defaults = not any("asDefault" in str(one.values) for one in traefiks)
    for item in context.tree.of("Ingress"):
        if item.is_final and ingress_class_of(item) == "traefik" and annotation(item, _PRIORITY) is None:
            points = frozenset(filter(None, (annotation(item, _ENTRY_POINTS) or "").split(",")))
            tls = bool(item.spec.get("tls")) or annotation(item, _TLS) == "true"
            for way in _ways_of_ingress(item):
                owners["", tls, way].append((item, points))
    for one in routers(context):
        if one.ordered or (several and not one.class_name) or "${" in one.rule:
            continue
        for way in sorted(one.ways):
            known = owners[_class_of(one), one.tls, way]
            first = next((item for item, points in known if _meet(one.entry_points, points, defaults=defaults)), None)
            known.append((one.item, one.entry_points))
            if first is not None and first.ref != one.item.ref:
                yield SAME_ROUTE(
                    one.place,
                    what=f"{one.item} and {first}, described at {first.source}, both answer {way[0]}{way[1]}",
                    why="Traefik always takes the longer rule, or either of two alike, and the other one never answers (F7)",
                    fix="another host, path or entry point for one of them; or a priority",
                )


def _class_of(one: TraefikRoute) -> str:
    return "" if one.class_name == "traefik" else one.class_name


def _ways_of_ingress(item: AppliedObject) -> Iterator[Way]:
    for rule in entries_of(item.spec, "rules"):
        for entry in entries_of(mapping(rule, "http"), "paths"):
            if entry.get("pathType") != "Exact":
                yield str(rule.get("host") or "*"), str(entry.get("path") or "/")


def _meet(one: frozenset[str], other: frozenset[str], *, defaults: bool) -> bool:
    """Whether some entry point has both; one that names none is on all that are so by default."""
    if one and other:
        return bool(one & other)
    return one == other or (defaults and bool((one | other) & ENTRY_POINTS))


RULES = (Rule(dashboards, (OPEN_DASHBOARD,)), Rule(collisions, (SAME_ROUTE,)))
