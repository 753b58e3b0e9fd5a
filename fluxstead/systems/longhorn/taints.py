"""Taints that reach machines with disks before Longhorn tolerates them (failure F18).

Longhorn takes on another `taint-toleration` only once all volumes are detached, and until then its engines and replicas run without
it (longhorn-manager: types/setting.go, SettingDefinitionTaintToleration; Longhorn's docs, "Taints and Tolerations").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.checks.past import Transition
from fluxstead.checks.reading.values_from import Values, values_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import at
from fluxstead.nodes.model import Node, Taint
from fluxstead.systems.longhorn.chart import LONGHORN

NOT_YET_TOLERATED = warns(
    "longhorn/not-yet-tolerated",
    "F18",
    "k3s1 gets the taint storage=only:NoExecute, which Longhorn in HEAD does not tolerate",
    "the tree and the commits before it",
)

_SETTING = ("defaultSettings", "taintToleration")
_ALL = ":"
_NO_EXECUTE = "NoExecute"


def findings(move: Transition) -> Iterator[Finding]:
    """Taints of described machines, and tolerations in values that people wrote, that are new to a Longhorn which runs already."""
    for old, new in move.releases():
        if not (move.facts.chart(move.before, old) is move.facts.chart(move.now, new) is LONGHORN):
            continue
        was, now = values_of(move.before, old), values_of(move.now, new)
        had = _tolerations(was)
        if had is None:
            continue
        for node in move.context.nodes:
            yield from _of_machine(move, node, had)
        if not move.context.nodes and new.keeps("spec", "values"):
            added = [one for one in _tolerations(now) or () if one not in had]
            values = next((one for one in move.context.chart_values if one.item is new), None)
            if added and _ALL not in had and values:
                yield NOT_YET_TOLERATED(
                    move.context.place_of(values, *_SETTING),
                    what=f"{new.ref} is to tolerate {', '.join(added)}, which in {move.name} it does not",
                    why="Longhorn takes it on only once all volumes are detached, and a taint before that stops volumes (F18)",
                    fix="this commit while nothing uses a volume, and the taint once the setting has been applied",
                )


def _of_machine(move: Transition, node: Node, had: Sequence[str]) -> Iterator[Finding]:
    then = move.cluster.taints.get(node.name) if move.cluster else None
    for index, taint in enumerate(node.taints if node.joined and node.disks else ()):
        if not taint.repels or str(taint) in (then or ()) or any(_covers(one, taint) for one in had):
            continue
        evicted = then is not None and taint.effect == _NO_EXECUTE
        yield NOT_YET_TOLERATED(
            node.source_of("taints", index),
            what=f"{node.name} gets the taint {taint}, which Longhorn in {move.name} does not tolerate",
            why="Longhorn takes on the toleration only once all volumes are detached; "
            + (
                "until then the taint evicts the engines and replicas on this machine, and volumes fail (F18)"
                if evicted
                else "until then nothing of it starts on this machine, and its disks are of no use (F18)"
            ),
            fix="this commit while nothing uses a volume, and the taint on the machine once Longhorn's setting has been applied",
        )


def _tolerations(values: Values) -> list[str] | None:
    """What the setting says; None where that is not known."""
    said = at(values.certain, _SETTING)
    if said is None and not values.complete:
        return None
    return [one.strip() for one in said.split(";") if one.strip()] if isinstance(said, str) else []


def _covers(toleration: str, taint: Taint) -> bool:
    """`key=value:effect`, `key:effect`, either without an effect, or `:` for every taint (types.UnmarshalTolerations)."""
    if toleration == _ALL:
        return True
    named, _, effect = toleration.partition(":")
    key, given, value = named.partition("=")
    return key == taint.key and effect in ("", taint.effect) and (not given or value == taint.value)


MOVES = (Rule(findings, (NOT_YET_TOLERATED,)),)
