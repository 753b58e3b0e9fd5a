"""Pages that ask nobody who it is and that everybody reaches: by a chart's values, or by a route that people wrote (F21).

What the description says of its own routes is checked where it is planned. What is in front of a page is known by what systems
say of their controllers; of other controllers nothing is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fluxstead.catalog.chart import OpenUi
from fluxstead.checks.context import CheckContext
from fluxstead.checks.objects.chart_values import ChartValues
from fluxstead.checks.reading.applied_tree import AppliedObject, annotations_of
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.checks.system_facts import RouteKind
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.shape import at, entries_of, mapping

OPEN_UI = refuses("exposure/open-ui", "F21", "HelmRelease storage/volumes lets everybody in at its page, by ingress.enabled")
OPEN_PAGE = warns("exposure/open-page", "F21", "HelmRelease web/metrics lets everybody in at its page, by service.type")

_OUTSIDE = frozenset({"NodePort", "LoadBalancer"})


def by_values(context: CheckContext) -> Iterator[Finding]:
    """Values of charts by which their own objects let everybody in."""
    for one in context.chart_values:
        for ui in context.facts.charts[one.chart].open_uis:
            for keys in _opening(context, one, ui):
                where = f"{one.item} lets everybody in at {ui.name}, by {'.'.join(keys)}"
                yield _finding(ui, context.place_of(one, *keys), where, "no such value, and a route of the description")


def _opening(context: CheckContext, one: ChartValues, ui: OpenUi) -> Iterator[tuple[str, ...]]:
    for keys in (ui.ingress, ui.http_route):
        said = at(one.values, keys) if keys else None
        if isinstance(said, Mapping) and said.get("enabled") is True:
            notes = mapping(said, "annotations")
            unknown = not (one.complete or notes)
            class_name = said.get("ingressClassName")
            if not unknown and _answers(context, class_name) and not _asks(context, class_name, notes):
                yield (*keys, "enabled")
    if at(one.values, (*ui.service, "type")) in _OUTSIDE:
        yield (*ui.service, "type")


def _answers(context: CheckContext, class_name: object) -> bool:
    """Whether a controller of which it is known how it asks answers for this class."""
    return class_name in {None, "", *context.facts.asking}


def _asks(context: CheckContext, class_name: object, notes: Mapping[str, object]) -> bool:
    """Whether annotations put something in front, that the controller of this class reads; without one, any controller."""
    asking = context.facts.asking
    read = [asking[str(class_name)]] if class_name in asking else asking.values()
    return any(name in names for names in read for name in notes)


def by_objects(context: CheckContext) -> Iterator[Finding]:
    """Routes that people wrote, to such pages, with nothing in front of them."""
    known = context.facts.charts.open_uis
    for item, service in _open_routes(context):
        ui = next((one for one in known if re.fullmatch(one.services, service)), None)
        if ui:
            source = line_with(context.tree.store, item.document, service)
            yield _finding(ui, source, f"{item} lets everybody in at {ui.name}", "a route of the description")


def _open_routes(context: CheckContext) -> Iterator[tuple[AppliedObject, str]]:
    """Objects, and the Services to which they let everybody."""
    for item in context.tree.of("Ingress"):
        class_name = item.spec.get("ingressClassName")
        if _by_hand(item) and _answers(context, class_name) and not _asks(context, class_name, annotations_of(item)):
            yield from ((item, name) for name in _of_ingress(item))
    for kind in context.facts.routes:
        for item in context.tree.of(kind.kind):
            if item.ref.group in kind.groups and kind.guards and _by_hand(item):
                yield from ((item, name) for name in _of_route(item, kind))


def _by_hand(item: AppliedObject) -> bool:
    return item.is_final and item.source.file == item.document.path


def _of_ingress(item: AppliedObject) -> Iterator[str]:
    paths = [path for rule in entries_of(item.spec, "rules") for path in entries_of(mapping(rule, "http"), "paths")]
    for holder in ({"backend": item.spec.get("defaultBackend")}, *paths):
        name = at(holder, ("backend", "service", "name"))
        if isinstance(name, str):
            yield name


def _of_route(item: AppliedObject, kind: RouteKind) -> Iterator[str]:
    for rule in entries_of(item.spec, kind.rules):
        if not rule.get(kind.guards):
            yield from (str(one.get("name")) for one in entries_of(rule, kind.backends))


def _finding(ui: OpenUi, source: Source, what: str, fix: str) -> Finding:
    why = f"{ui.at_stake}, and asks nobody who it is (F21)"
    fix = f"{fix}, which says who may come in; or what asks, in front of it"
    if ui.grave:
        return OPEN_UI(source, what=what, why=why, fix=fix)
    return OPEN_PAGE(source, what=what, why=why, fix=fix)


RULES = (Rule(by_values, (OPEN_UI, OPEN_PAGE)), Rule(by_objects, (OPEN_UI, OPEN_PAGE)))
