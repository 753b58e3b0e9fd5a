"""Procedures: what a person does to a running cluster, as steps that are each asked of the cluster before and after they are taken.

A step that is done is not taken, so whatever was cut off goes on where it stands. Nothing of a procedure is kept here: what it has
to remember is noted in the cluster (`lease.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from fluxstead.live.lease import Held


class StepState(NamedTuple):
    """How it stands with a step: it is done; it is due, and acting would help; it comes by itself; or it never will.

    `says`: what was seen, or what acting would do. `do`: what to type where it fails.
    """

    state: Literal["done", "due", "waits", "fails"]
    says: str = ""
    do: str = ""


def done(says: str = "") -> StepState:
    """Nothing is left to do."""
    return StepState("done", says)


def due(says: str) -> StepState:
    """Acting is what it needs; `says` is what acting does."""
    return StepState("due", says)


def waits(says: str, do: str = "") -> StepState:
    """It is under way, or something else has to happen first: `says` is what. `do`: what to type where it takes too long."""
    return StepState("waits", says, do)


def fails(says: str, do: str) -> StepState:
    """Neither waiting nor acting helps."""
    return StepState("fails", says, do)


class Stopped(Exception):  # noqa: N818 -- said to people as it is
    """Neither waiting nor acting helps, as `fails` says it, found out while asking or acting. `do`: what to type."""

    def __init__(self, says: str, do: str) -> None:
        super().__init__(says)
        self.do = do


class Step(NamedTuple):
    """One step, named by what is so when it is done. `standing` asks the cluster; it and `act` may raise Unanswered, or Stopped.

    `why`: in one clause. `way_back`: how to undo it. `patience`: seconds that it may take. `after`: steps without which this one
    says nothing; it is not tried where one of them has failed, and a procedure goes on.
    """

    name: str
    why: str
    way_back: str
    standing: Callable[[], StepState]
    act: Callable[[], None] | None = None
    patience: float = 300
    after: tuple[str, ...] = ()


class Procedure(NamedTuple):
    """A procedure. `words`: as it is typed. `begin`: what is noted in the cluster when it begins, for `steps` to go by.

    `goes_on`: whether what does not need a step that failed is tried all the same, as where things are only looked at. `around`:
    what is there while the steps are made and run, and is put back however they end, unless the Lease is lost.
    """

    words: str
    begin: Callable[[], Mapping[str, str]]
    steps: Callable[[Mapping[str, str]], Sequence[Step]]
    goes_on: bool = False
    around: Callable[[Held], AbstractContextManager[object]] = nullcontext


class Outcome(NamedTuple):
    """How a step ended, and after how many seconds. `skipped`: it was not tried, since one before it had failed."""

    step: Step
    standing: StepState
    seconds: float
    skipped: bool = False

    @property
    def well(self) -> bool:
        """Whether it is done."""
        return self.standing.state == "done" and not self.skipped
