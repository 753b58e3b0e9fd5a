"""Runs a procedure: every step that is not done, one after another, until one has to be waited for, or fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from fluxstead.live.clock import Clock
from fluxstead.live.procedure import Outcome, Step, StepState, fails, waits
from fluxstead.live.resources import Refused, Unanswered

_PAUSE, _AFTER_ACTING = 1.0, 0.2
"""Seconds until it is asked again."""
_AGAIN = 30
"""Seconds after which what is waited for is said once more."""


class Fence(Protocol):
    """What says before every act that nobody else is at work; it raises otherwise."""

    def check(self) -> None:
        """Raises Lost."""


def run(
    steps: Sequence[Step], guard: Fence, say: Callable[[str], object], clock: Clock | None = None, *, goes_on: bool = False
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
        ended = _reach(step, guard, lambda line: say(f"    {line}"), clock)
        one = Outcome(step, ended, clock.now() - began)
        found.append(one)
        say(f"    {_told(one)}")
        if not one.well:
            badly.add(step.name)
            if not goes_on:
                break
    return found


def _told(one: Outcome) -> str:
    after = f" ({one.seconds:.0f} s)" if round(one.seconds) else ""
    if one.well:
        return f"done{f': {one.standing.says}' if one.standing.says else ''}{after}"
    return f"NOT DONE: {one.standing.says}{after}"


def _reach(step: Step, guard: Fence, say: Callable[[str], object], clock: Clock) -> StepState:
    """Ask, and act where that is due, until the step is done, fails, or has taken as long as it may."""
    end, heard = clock.now() + step.patience, _Heard(say, clock)
    while True:
        now, pause = _asked(step), _PAUSE
        if now.state in {"done", "fails"}:
            return now
        if clock.now() >= end:
            return fails(f"not after {step.patience:.0f} s: {now.says}", now.do or "the same again, which goes on from here")
        if now.state == "due" and step.act:
            guard.check()
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
    except Refused as problem:
        return fails(str(problem), "./run doctor")
    except Unanswered as problem:
        return waits(str(problem))


def _acted(act: Callable[[], None]) -> StepState | None:
    """What went wrong; whether an act without an answer arrived is seen when the step is asked again."""
    try:
        act()
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
