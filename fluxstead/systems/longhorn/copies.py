"""Fewer copies, and volumes no longer kept, by what a commit changes in classes, volumes and the chart's values (F18, U10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.past import Transition
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.apply import is_recreated
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.reading.values_from import values_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.shape import mapping
from fluxstead.systems.longhorn.chart import LONGHORN
from fluxstead.systems.longhorn.values import COPIES, copies_in

ONE_COPY = warns(
    "longhorn/one-copy-left",
    "F18",
    "StorageClass longhorn-hdd in HEAD asks for 3 copies, and now for 1",
    "the tree and the commits before it",
)
CHART_KEEPS_NOTHING = warns(
    "longhorn/no-longer-kept",
    "U10",
    "HelmRelease longhorn-system/longhorn in HEAD has persistence.reclaimPolicy Retain, and now Delete",
    "the tree and the commits before it",
)


def findings(move: Transition) -> Iterator[Finding]:
    """What is kept in fewer places than before."""
    if move.nothing_is_left:
        return
    for old, new in move.changed:
        if new.ref.kind == "StorageClass" and move.facts.is_placed_on_disks(new) and is_recreated(new):
            yield from _fewer(move, new, mapping(old.object, "parameters"), mapping(new.object, "parameters"), "numberOfReplicas")
        elif new.ref.kind == "Volume" and new.ref.group == "longhorn.io":
            yield from _fewer(move, new, old.spec, new.spec, "numberOfReplicas")
    for old, new in move.releases():
        if move.facts.chart(move.now, new) is LONGHORN and new.keeps("spec", "values"):
            yield from _in_values(move, new, values_of(move.before, old).certain, values_of(move.now, new).certain)


def _in_values(move: Transition, new: AppliedObject, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    for section, key in COPIES:
        place = move.context.place_in_values(new, section, key)
        yield from _fewer(move, new, mapping(before, section), mapping(after, section), key, place=place)
    was, now = (mapping(values, "persistence").get("reclaimPolicy", "Delete") for values in (before, after))
    if (was, now) == ("Retain", "Delete"):
        yield CHART_KEEPS_NOTHING(
            move.context.place_in_values(new, "persistence", "reclaimPolicy"),
            what=f"{new.ref} in {move.name} has persistence.reclaimPolicy Retain, and now Delete",
            why="volumes of the default class then go with their claims, by whatever hand those are deleted (U10)",
            fix="Retain, unless the data can be lost",
        )


def _fewer(
    move: Transition,
    new: AppliedObject,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    key: str,
    *,
    place: Source | None = None,
) -> Iterator[Finding]:
    was, now = (copies_in(values.get(key)) for values in (before, after))
    if was is not None and now == 1 and was > 1:
        yield ONE_COPY(
            place or line_with(move.now.store, new.document, f"{key}:"),
            what=f"{new.ref} in {move.name} asks for {was} copies, and now for 1",
            why="a volume with one copy is gone with its disk, and its machine cannot be drained (F18)",
            fix=f"{was}, or 2 on two machines; one copy only for what can be lost",
        )


MOVES = (Rule(findings, (ONE_COPY, CHART_KEEPS_NOTHING)),)
