"""What is wrong in a running cluster, and which of it explains the rest: each trouble is told once, at its root."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

Gravity = Literal["error", "warning"]


class Subject(NamedTuple):
    """What something is the matter with, as people name it: `layer monitoring`, `disk sdg1 of k3s1`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def reach_of(machine: str) -> Subject:
    """What is the matter where a machine does not answer over SSH: then nothing else of it can be well."""
    return Subject("reach of", machine)


def clock_of(machine: str) -> Subject:
    """What is the matter where a clock is off: then what goes by the time cannot be well."""
    return Subject("clock of", machine)


def pods_in(namespace: str) -> Subject:
    """What explains whoever waits for pods there."""
    return Subject("pods in", namespace)


def layer_subject(name: str) -> Subject:
    """A layer, as it is named everywhere."""
    return Subject("layer", name)


class LiveTrouble(NamedTuple):
    """One thing that is wrong. `says` goes on where the subject ends: `has no UUID`.

    `means`: why it matters, in one clause. `do`: what to type. `page`: where more of it stands. `waits_for`: subjects of which the
    trouble, if they have any, explains this one. `also`: what else it explains the trouble of, such as `pods in web`.
    """

    subject: Subject
    says: str
    means: str
    do: str
    page: str = ""
    waits_for: tuple[Subject, ...] = ()
    gravity: Gravity = "error"
    also: tuple[Subject, ...] = ()


class Root(NamedTuple):
    """A trouble that no other one explains, and those that it explains, the nearest first."""

    trouble: LiveTrouble
    explains: tuple[LiveTrouble, ...]


def roots(troubles: Sequence[LiveTrouble]) -> list[Root]:
    """The troubles by their roots, the gravest first; of those that only explain one another, the first is one.

    What several roots explain is told at the first of them.
    """
    by_subject: dict[Subject, list[int]] = defaultdict(list)
    for number, trouble in enumerate(troubles):
        for subject in (trouble.subject, *trouble.also):
            by_subject[subject].append(number)
    causes = [_causes(number, troubles, by_subject) for number in range(len(troubles))]
    effects: dict[int, list[int]] = defaultdict(list)
    for number, of in enumerate(causes):
        for cause in of:
            effects[cause].append(number)
    first = sorted((number for number in range(len(troubles)) if not causes[number]), key=lambda one: _rank(troubles[one], one))
    told: set[int] = set(first)
    found: list[Root] = []
    for number in (*first, *range(len(troubles))):
        if number in told and len(found) >= len(first):
            continue
        told.add(number)
        explained = list(_reached(number, effects, told))
        found.append(Root(troubles[number], tuple(troubles[one] for one in explained)))
    return found


def _causes(number: int, troubles: Sequence[LiveTrouble], by_subject: Mapping[Subject, Sequence[int]]) -> list[int]:
    """What explains a trouble; what is only worth knowing explains no error."""
    trouble = troubles[number]
    named = dict.fromkeys(one for subject in trouble.waits_for for one in by_subject.get(subject, ()))
    return [one for one in named if one != number and (troubles[one].gravity == "error" or trouble.gravity == "warning")]


def _rank(trouble: LiveTrouble, number: int) -> tuple[bool, int]:
    return trouble.gravity == "warning", number


def _reached(root: int, effects: Mapping[int, Sequence[int]], told: set[int]) -> Iterator[int]:
    waiting = deque([root])
    while waiting:
        for effect in effects.get(waiting.popleft(), ()):
            if effect not in told:
                told.add(effect)
                waiting.append(effect)
                yield effect


def chain(root: Root) -> str:
    """What it holds up, in one sentence; empty where it explains nothing."""
    names = [str(one.subject) for one in root.explains]
    shown = list(dict.fromkeys(names))
    more = f", and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return f"{', '.join(shown[:_SHOWN])}{more}" if shown else ""


_SHOWN = 6


def is_wrong(troubles: Iterable[LiveTrouble]) -> bool:
    """Whether any of them is more than worth knowing."""
    return any(one.gravity == "error" for one in troubles)
