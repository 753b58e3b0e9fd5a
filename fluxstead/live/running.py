"""Runs a procedure: every step that is not done, one after another, until one has to be waited for, or fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from fluxstead.live.clock import Clock
from fluxstead.live.lease import held
from fluxstead.live.procedure import Outcome, Procedure, Step, StepState, Stopped, fails, waits
from fluxstead.live.resources import Refused, Unanswered

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi

_PAUSE, _AFTER_ACTING = 1.0, 0.2
"""Seconds until it is asked again."""
_AGAIN = 30
"""Seconds after which what is waited for is said once more."""


class Fence(Protocol):
    """What says before every act that nobody else is at work; it raises otherwise."""

    def check(self) -> None:
        """Raises Lost."""


def run(
    steps: Sequence[Step], fence: Fence, say: Callable[[str], object], clock: Clock | None = None, *, goes_on: bool = False
) -> list[Outcome]:
    """How each step ended, up to the first that did not end well; with `goes_on`, also those that do not need it."""
    clock, found = clock or Clock(), list[Outcome]()
    badly: set[str] = set()
    for number, step in enumerate(steps, 1):
        needed = [name for name in step.after if name in badly]
        if needed:
            badly.add(step.name)
            found.append(Outcome(step, waits(f"not tried: {needed[0]} is not so"), 0, skipped=True))
            say(f"{number}/{len(steps)} {step.name}: not tried")
            continue
        began = clock.now()
        say(f"{number}/{len(steps)} {step.name}")
        ended = _reach(step, fence, lambda line: say(f"    {line}"), clock)
        one = Outcome(step, ended, clock.now() - began)
        found.append(one)
        say(f"    {_told(one)}")
        if not one.well:
            badly.add(step.name)
            if not goes_on:
                break
    return found


def carried_out(
    api: LiveApi,
    procedure: Procedure,
    say: Callable[[str], object],
    beside: Callable[[str], object],
    clock: Clock | None = None,
    *,
    abandon: bool = False,
) -> tuple[list[Outcome], bool]:
    """Hold the Lease and run it: how each step ended, and whether all is done and put back.

    `say`: takes the lines of the steps, `beside` those about the Lease. Raises Taken, Lost and Unanswered. It stays begun as long
    as a step is left that acts: what is only waited for needs nothing that was noted, and the same words begin anew.
    """
    with held(api, procedure.words, procedure.begin, beside, clock, abandon=abandon) as lease:
        with procedure.around(lease):
            steps = procedure.steps(lease.notes)
            ended = run(steps, lease, say, clock, goes_on=procedure.goes_on)
        reached = {one.step.name for one in ended if one.well}
        if not procedure.goes_on and any(step.act and step.name not in reached for step in steps):
            lease.leave_begun()
        return ended, len(reached) == len(steps) and not lease.left_begun


def _told(one: Outcome) -> str:
    after = f" ({one.seconds:.0f} s)" if round(one.seconds) else ""
    if one.well:
        return f"done{f': {one.standing.says}' if one.standing.says else ''}{after}"
    return f"NOT DONE: {one.standing.says}{after}"


def _reach(step: Step, fence: Fence, say: Callable[[str], object], clock: Clock) -> StepState:
    """Ask, and act where that is due, until the step is done, fails, or has taken as long as it may."""
    end, heard = clock.now() + step.patience, _Heard(say, clock)
    while True:
        now, pause = _asked(step), _PAUSE
        if now.state in {"done", "fails"}:
            return now
        if clock.now() >= end:
            return fails(f"not after {step.patience:.0f} s: {now.says}", now.do or "./run doctor, then the same command")
        if now.state == "due" and step.act:
            fence.check()
            heard.say(f"doing: {now.says}")
            problem, pause = _acted(step.act), _AFTER_ACTING
            if problem and problem.state == "fails":
                return problem
            now = problem or now
        if now.state == "waits":
            heard.say(f"waiting: {now.says}")
        clock.sleep(pause)


def _asked(step: Step) -> StepState:
    try:
        return step.standing()
    except Stopped as problem:
        return fails(str(problem), problem.do)
    except Refused as problem:
        return fails(str(problem), "./run doctor")
    except Unanswered as problem:
        return waits(str(problem))


def _acted(act: Callable[[], None]) -> StepState | None:
    """What went wrong; whether an act without an answer arrived is seen when the step is asked again."""
    try:
        act()
    except Stopped as problem:
        return fails(str(problem), problem.do)
    except Refused as problem:
        return fails(str(problem), "./run doctor")
    except Unanswered as problem:
        return waits(str(problem))
    return None


class _Heard:
    """Says a line when it is another one, or was said some time ago."""

    def __init__(self, say: Callable[[str], object], clock: Clock) -> None:
        self._say, self._clock = say, clock
        self._line, self._at = "", clock.now()

    def say(self, line: str) -> None:
        if line != self._line or self._clock.now() - self._at >= _AGAIN:
            self._say(line)
            self._line, self._at = line, self._clock.now()


def plan(steps: Sequence[Step]) -> Iterator[str]:
    """What running them would do now: nothing is done, and what comes later is seen as the cluster stands now."""
    for number, step in enumerate(steps, 1):
        now = _asked(step)
        word = {"done": "is so already", "due": "would be done now", "waits": "would be waited for", "fails": "cannot be"}[
            now.state
        ]
        yield f"{number}/{len(steps)} {step.name}: {word}{f': {now.says}' if now.says else ''}"
        yield f"    because: {step.why}"
        yield f"    way back: {step.way_back}"
