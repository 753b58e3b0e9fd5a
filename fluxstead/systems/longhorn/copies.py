"""Fewer copies, and volumes no longer kept, by what a commit changes in classes, volumes and the chart's values (F18, U10)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.checks.past import Transition
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.apply import is_recreated
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import mapping
from fluxstead.systems.longhorn.chart import LONGHORN

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


class _Count(NamedTuple):
    """Where a number of copies stands."""

    section: str
    key: str


_IN_VALUES = (_Count("persistence", "defaultClassReplicaCount"), _Count("defaultSettings", "defaultReplicaCount"))
_NUMBER = re.compile(r"\d{1,2}", re.ASCII)


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
        if move.facts.chart(move.now, new) is LONGHORN and not new.kustomization.changes_spec("HelmRelease", "values"):
            yield from _in_values(move, new, mapping(old.spec, "values"), mapping(new.spec, "values"))


def _in_values(move: Transition, new: AppliedObject, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    for count in _IN_VALUES:
        yield from _fewer(move, new, mapping(before, count.section), mapping(after, count.section), count.key)
    was, now = (mapping(values, "persistence").get("reclaimPolicy", "Delete") for values in (before, after))
    if (was, now) == ("Retain", "Delete"):
        yield CHART_KEEPS_NOTHING(
            line_with(move.now.store, new.document, "reclaimPolicy:"),
            what=f"{new.ref} in {move.name} has persistence.reclaimPolicy Retain, and now Delete",
            why="volumes of the default class then go with their claims, by whatever hand those are deleted (U10)",
            fix="Retain, unless the data can be lost",
        )


def _fewer(
    move: Transition, new: AppliedObject, before: Mapping[str, Any], after: Mapping[str, Any], key: str
) -> Iterator[Finding]:
    was, now = (_copies(values.get(key)) for values in (before, after))
    if was is not None and now == 1 and was > 1:
        yield ONE_COPY(
            line_with(move.now.store, new.document, f"{key}:"),
            what=f"{new.ref} in {move.name} asks for {was} copies, and now for 1",
            why="a volume with one copy is gone with its disk, and its machine cannot be drained (F18)",
            fix=f"{was}, or 2 on two machines; one copy only for what can be lost",
        )


def _copies(value: object) -> int | None:
    """Longhorn's settings may also hold a number for each engine: `{"v1":"3","v2":"3"}`."""
    found = [int(number) for number in _NUMBER.findall(re.sub(r"v\d", "", str(value)))] if value is not None else []
    return min(found) if found else None


MOVES = (Rule(findings, (ONE_COPY, CHART_KEEPS_NOTHING)),)
