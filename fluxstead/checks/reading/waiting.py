"""What comes before what: Kustomizations as Flux applies them on an empty cluster.

Two things happen to a Kustomization: it is applied, after those that it depends on are ready and its parent has applied it; and
it is ready, which with `wait` takes all that it applied: Kustomizations and releases, which in turn wait for others.
Without `wait` it takes what its `healthChecks` name, whoever applies that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fluxstead.checks.reading.store import entries_of
from fluxstead.checks.reading.view import KUSTOMIZE, Item, Unit, View, release_key, releases_before
from fluxstead.core.manifest import ObjectRef, group_of

_Step = tuple[Unit, bool]
"""A Kustomization, and whether it is ready (or only applied)."""


@dataclass(slots=True)
class Waiting:
    """For each Kustomization, the set of steps before it, as the bits of a number: 2i for applied, 2i + 1 for ready."""

    view: View
    applied: dict[int, int] = field(default_factory=dict)
    ready: dict[int, int] = field(default_factory=dict)
    circles: list[list[Unit]] = field(default_factory=list)
    beside: dict[int, list[Unit]] = field(default_factory=dict)
    """The Kustomizations without which a release of this one never becomes ready, for those that wait for their releases."""

    def before(self, unit: Unit, step: Unit, *, ready: bool) -> bool:
        """Whether `step` is applied, or ready, whenever `unit` is applied."""
        return bool(self.applied[unit.index] >> (2 * step.index + ready) & 1)


def waiting_in(view: View) -> Waiting:
    """Work out what comes before every Kustomization. Cycles are cut where the walk entered them."""
    waiting = Waiting(view, beside=_beside(view))
    state: dict[tuple[int, bool], int] = {}
    for unit in view.units.values():
        for ready in (False, True):
            _walk(waiting, (unit, ready), state)
    return waiting


def _beside(view: View) -> dict[int, list[Unit]]:
    owners = {release_key(item): item.unit for item in view.of("HelmRelease")}
    found: dict[int, list[Unit]] = {}
    for item in view.of("HelmRelease"):
        for name in releases_before(item) if item.unit.spec.get("wait") and item.whole else ():
            if owners.get(name, item.unit) is not item.unit:
                found.setdefault(item.unit.index, []).append(owners[name])
    return found


def _walk(waiting: Waiting, start: _Step, state: dict[tuple[int, bool], int]) -> None:
    """Depth first, without recursion: a chain of layers may be longer than Python's stack."""
    if (start[0].index, start[1]) in state:
        return
    path: list[tuple[_Step, Iterator[_Step]]] = [(start, iter(_needed(waiting, start)))]
    state[start[0].index, start[1]] = 1
    while path:
        step, rest = path[-1]
        following = next(rest, None)
        if following is None:
            path.pop()
            state[step[0].index, step[1]] = 2
            _settle(waiting, step)
            continue
        known = state.get((following[0].index, following[1]))
        if known is None:
            state[following[0].index, following[1]] = 1
            path.append((following, iter(_needed(waiting, following))))
        elif known == 1:
            _circle(waiting, [one for one, _ in path], following)


def _needed(waiting: Waiting, step: _Step) -> Sequence[_Step]:
    unit, ready = step
    if ready:
        inside = [(child, True) for child in unit.children] if unit.spec.get("wait") else _named(waiting.view, unit)
        return [(unit, False), *inside, *((other, False) for other in waiting.beside.get(unit.index, ()))]
    units = waiting.view.units
    needed = [(units[name], True) for name in unit.dependencies if name in units]
    return [*needed, (unit.parent, False)] if unit.parent else needed


def watched(view: View, unit: Unit) -> Iterator[Item]:
    """The objects of the tree that its `healthChecks` name; with `wait` Flux ignores them."""
    for check in () if unit.spec.get("wait") else entries_of(unit.spec, "healthChecks"):
        group, kind = group_of(str(check.get("apiVersion", ""))), str(check.get("kind"))
        found = view.one(ObjectRef(group, kind, str(check.get("namespace") or ""), str(check.get("name"))))
        yield from [found] if found else []


def _named(view: View, unit: Unit) -> list[_Step]:
    steps: list[_Step] = []
    for item in watched(view, unit):
        child = view.units.get(f"{item.ref.namespace}/{item.ref.name}") if item.ref.group == KUSTOMIZE else None
        step = (child, True) if child else (item.unit, False)
        if child is not unit:  # Flux leaves itself out
            steps.append(step)
    return steps


def _settle(waiting: Waiting, step: _Step) -> None:
    unit, ready = step
    past = 0
    for other, other_ready in _needed(waiting, step):
        table = waiting.ready if other_ready else waiting.applied
        past |= table.get(other.index, 0) | 1 << (2 * other.index + (other_ready and other.waits))
    (waiting.ready if ready else waiting.applied)[unit.index] = past


def _circle(waiting: Waiting, path: list[_Step], back: _Step) -> None:
    way = [unit for unit, _ in path[path.index(back) :]]
    names = [unit for index, unit in enumerate(way) if index == 0 or unit is not way[index - 1]]
    if not any({unit.index for unit in names} == {unit.index for unit in known} for known in waiting.circles):
        waiting.circles.append(names)
