"""Traefik's own routes, wherever they are written: objects, objects among a chart's values, and the dashboard of its chart.

Sources: traefik/traefik-helm-chart traefik/values.yaml and templates/ingressroute.yaml, at v25 to v41; Traefik's documentation,
"Rules & Priority", "Default EntryPoints" and "Dashboard".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.chart_values import ChartValues
from fluxstead.checks.objects.in_values import objects_in_values
from fluxstead.checks.reading.applied_tree import AppliedObject, annotation
from fluxstead.checks.reading.store import line_with, texts_of
from fluxstead.core.findings import Source
from fluxstead.core.shape import entries_of, mapping
from fluxstead.systems.ingress.charts import TRAEFIK

_DASHBOARD = "api@internal"
_DEFAULT_RULE = "PathPrefix(`/dashboard`) || PathPrefix(`/api`)"
OWN_ENTRY_POINT = "traefik"
"""Where the chart puts its dashboard, and which its Service leaves out unless it is told to expose it."""
ENTRY_POINTS = frozenset({"web", "websecure"})
"""Those that the chart exposes, and that a route without any takes."""

Way = tuple[str, str]
"""A host, `*` for any, and the path that requests begin with; empty where the rule says none."""


@dataclass(frozen=True)
class TraefikRoute:
    """One route. `entry_points`: those that it names; `guarded`: whether a middleware is in front of it."""

    item: AppliedObject
    rule: str
    entry_points: frozenset[str]
    guarded: bool
    to_dashboard: bool
    ordered: bool
    """Whether a priority says which of two comes first."""
    tls: bool
    """Whether it answers HTTPS, and only that."""
    class_name: str
    place: Source

    @cached_property
    def ways(self) -> frozenset[Way]:
        """What it answers; empty where the rule says more than hosts and paths."""
        return frozenset(ways_of(self.rule) or ())


def routers(context: CheckContext) -> Iterator[TraefikRoute]:
    """All of them, those of the chart's own values last."""
    for item in context.tree.of("IngressRoute"):
        if item.is_final:
            yield from _of_object(context, item)
    for one in context.chart_values:
        if not one.item.is_final:
            continue
        for item, key in objects_in_values(one):
            if item.ref.kind == "IngressRoute":
                yield from _of_object(context, item, context.place_of(one, key))
        if context.facts.charts[one.chart] is TRAEFIK:
            yield from _of_chart(context, one)


def _of_object(context: CheckContext, item: AppliedObject, place: Source | None = None) -> Iterator[TraefikRoute]:
    for route in entries_of(item.spec, "routes"):
        rule = str(route.get("match") or "")
        yield TraefikRoute(
            item,
            rule,
            frozenset(texts_of(item.spec, "entryPoints")),
            bool(route.get("middlewares")),
            any(service.get("name") == _DASHBOARD for service in entries_of(route, "services")),
            "priority" in route,
            item.spec.get("tls") is not None,
            annotation(item, "kubernetes.io/ingress.class") or "",
            place or line_with(context.tree.store, item.document, rule),
        )


def _of_chart(context: CheckContext, one: ChartValues) -> Iterator[TraefikRoute]:
    """The dashboard's, where the values ask for it."""
    said = mapping(mapping(one.values, "ingressRoute"), "dashboard")
    if said.get("enabled") is not True:
        return
    points = frozenset(texts_of(said, "entryPoints")) or frozenset({OWN_ENTRY_POINT})
    unknown = not (one.complete or one.bundled) and "middlewares" not in said
    yield TraefikRoute(
        one.item,
        str(said.get("matchRule") or _DEFAULT_RULE),
        points,
        bool(said.get("middlewares")) or unknown,
        to_dashboard=True,
        ordered=False,
        tls=bool(said.get("tls")),
        class_name=str(mapping(said, "annotations").get("kubernetes.io/ingress.class") or ""),
        place=context.place_of(one, "ingressRoute", "dashboard", "enabled"),
    )


def exposed(context: CheckContext, name: str) -> bool:
    """Whether an entry point can be reached from outside, by what is said of Traefik's ports and by the chart's defaults."""
    said = [
        expose
        for one in context.chart_values
        if context.facts.charts[one.chart] is TRAEFIK
        for expose in [mapping(mapping(one.values, "ports"), name).get("expose")]
        if expose is not None
    ]
    if not said:
        return name in ENTRY_POINTS
    return any(expose.get("default") is True if isinstance(expose, Mapping) else expose is True for expose in said)


def guarded_as_a_whole(context: CheckContext, name: str) -> bool:
    """Whether everything on an entry point goes through a middleware, or may, by arguments and files that nobody reads here."""
    for one in context.chart_values:
        if context.facts.charts[one.chart] is TRAEFIK:
            port = mapping(mapping(one.values, "ports"), name)
            more = str([one.values.get(key) for key in ("additionalArguments", "globalArguments", "env", "extraArgs")]).lower()
            if port.get("middlewares") or mapping(port, "http").get("middlewares") or "middlewares" in more:
                return True
    return False


_TOKEN = re.compile(r"\s*(?:(\w+)\(\s*[`\"]([^`\"]*)[`\"]\s*\)|(&&|\|\||[()]))")


def ways_of(rule: str) -> list[Way] | None:
    """A rule as alternatives of a host and a path; None where it says anything else."""
    tokens: list[tuple[str, str, str]] = []
    at = 0
    while rule[at:].strip():
        found = _TOKEN.match(rule, at)
        if found is None:
            return None
        tokens.append((found[1] or "", found[2] or "", found[3] or ""))
        at = found.end()
    parser = _Parser(tokens)
    ways = parser.either()
    return ways if ways and parser.done else None


class _Parser:
    """`&&` binds more tightly than `||`."""

    def __init__(self, tokens: list[tuple[str, str, str]]) -> None:
        self._tokens = tokens

    @property
    def done(self) -> bool:
        return not self._tokens

    def either(self) -> list[Way]:
        ways = self._both()
        while ways and self._next("||"):
            more = self._both()
            ways = [*ways, *more] if more else []
        return ways

    def _both(self) -> list[Way]:
        ways = self._one()
        while ways and self._next("&&"):
            others = self._one()
            ways = list(chain.from_iterable(_joined(one, other) for one in ways for other in others))
        return ways

    def _one(self) -> list[Way]:
        if self._next("("):
            ways = self.either()
            return ways if self._next(")") else []
        name, text, _ = self._tokens.pop(0) if self._tokens else ("", "", "")
        return [(text, "")] if name == "Host" else [("*", text)] if name == "PathPrefix" else []

    def _next(self, sign: str) -> bool:
        if self._tokens and self._tokens[0][2] == sign:
            self._tokens.pop(0)
            return True
        return False


def _joined(one: Way, other: Way) -> list[Way]:
    """Both at once: nothing, where they name two hosts or two paths."""
    hosts, paths = {one[0], other[0]} - {"*"}, {one[1], other[1]} - {""}
    return [] if len(hosts) > 1 or len(paths) > 1 else [("".join(hosts) or "*", "".join(paths))]
