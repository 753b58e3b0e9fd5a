"""What comes before what: Kustomizations as Flux applies them on an empty cluster.

Two things happen to a Kustomization: it is applied, after those that it depends on are ready and its parent has applied it; and
it is ready, which with `wait` takes all that it applied: Kustomizations and releases, which in turn wait for others.
Without `wait` it takes what its `healthChecks` name, whoever applies that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fluxstead.checks.reading.applied_tree import (
    AppliedObject,
    AppliedTree,
    FluxKustomization,
    releases_before,
)
from fluxstead.core.manifest import ObjectRef, group_of
from fluxstead.core.shape import entries_of

_Step = tuple[FluxKustomization, bool]
"""A Kustomization, and whether it is ready (or only applied)."""


@dataclass(slots=True)
class Waiting:
    """For each Kustomization, the set of steps before it, as the bits of a number: 2i for applied, 2i + 1 for ready."""

    tree: AppliedTree
    applied: dict[int, int] = field(default_factory=dict)
    ready: dict[int, int] = field(default_factory=dict)
    circles: list[list[FluxKustomization]] = field(default_factory=list)
    beside: dict[int, list[FluxKustomization]] = field(default_factory=dict)
    """The Kustomizations without which a release of this one never becomes ready, for those that wait for their releases."""

    @staticmethod
    def step(index: int, *, ready: bool) -> int:
        """The bit of one step of a Kustomization."""
        return 1 << (2 * index + ready)

    @classmethod
    def steps(cls, index: int) -> int:
        """The bits of both."""
        return cls.step(index, ready=False) | cls.step(index, ready=True)

    def before(self, kustomization: FluxKustomization, step: FluxKustomization, *, ready: bool) -> bool:
        """Whether `step` is applied, or ready, whenever `kustomization` is applied."""
        return bool(self.applied[kustomization.index] & self.step(step.index, ready=ready))


def waiting_in(tree: AppliedTree) -> Waiting:
    """Work out what comes before every Kustomization. Cycles are cut where the walk entered them."""
    waiting = Waiting(tree, beside=_beside(tree))
    state: dict[tuple[int, bool], int] = {}
    for kustomization in tree.kustomizations.values():
        for ready in (False, True):
            _walk(waiting, (kustomization, ready), state)
    return waiting


def _beside(tree: AppliedTree) -> dict[int, list[FluxKustomization]]:
    owners = {item.ref: item.kustomization for item in tree.of("HelmRelease")}
    found: dict[int, list[FluxKustomization]] = {}
    for item in tree.of("HelmRelease"):
        if not (item.kustomization.spec.get("wait") and item.is_final):
            continue
        for name in releases_before(item):
            if owners.get(name, item.kustomization) is not item.kustomization:
                found.setdefault(item.kustomization.index, []).append(owners[name])
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
    kustomization, ready = step
    if ready:
        inside = (
            [(child, True) for child in kustomization.children]
            if kustomization.spec.get("wait")
            else _named(waiting.tree, kustomization)
        )
        return [(kustomization, False), *inside, *((other, False) for other in waiting.beside.get(kustomization.index, ()))]
    kustomizations = waiting.tree.kustomizations
    needed = [(kustomizations[name], True) for name in kustomization.dependencies if name in kustomizations]
    return [*needed, (kustomization.parent, False)] if kustomization.parent else needed


def watched(tree: AppliedTree, kustomization: FluxKustomization) -> Iterator[AppliedObject]:
    """The objects of the tree that its `healthChecks` name; with `wait` Flux ignores them."""
    if kustomization.spec.get("wait"):
        return
    for check in entries_of(kustomization.spec, "healthChecks"):
        group, kind = group_of(str(check.get("apiVersion", ""))), str(check.get("kind"))
        found = tree.one(ObjectRef(group, kind, str(check.get("namespace") or ""), str(check.get("name"))))
        if found:
            yield found


def _named(tree: AppliedTree, kustomization: FluxKustomization) -> list[_Step]:
    steps: list[_Step] = []
    for item in watched(tree, kustomization):
        child = tree.kustomizations.get(item.ref)
        step = (child, True) if child else (item.kustomization, False)
        if child is not kustomization:  # Flux leaves itself out
            steps.append(step)
    return steps


def _settle(waiting: Waiting, step: _Step) -> None:
    kustomization, ready = step
    past = 0
    for other, other_ready in _needed(waiting, step):
        table = waiting.ready if other_ready else waiting.applied
        past |= table.get(other.index, 0) | Waiting.step(other.index, ready=other_ready and other.waits)
    (waiting.ready if ready else waiting.applied)[kustomization.index] = past


def _circle(waiting: Waiting, path: list[_Step], back: _Step) -> None:
    way = [kustomization for kustomization, _ in path[path.index(back) :]]
    names = [kustomization for index, kustomization in enumerate(way) if index == 0 or kustomization is not way[index - 1]]
    if not any(
        {kustomization.index for kustomization in names} == {kustomization.index for kustomization in known}
        for known in waiting.circles
    ):
        waiting.circles.append(names)
