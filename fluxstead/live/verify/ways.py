"""Each route answers, asked from where `./run verify` is typed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from fluxstead.live.procedure import Step, StepState, done, fails
from fluxstead.live.ways_in import Trust, answers_of

_DO = "./run doctor, which says what is behind it"
_UNKNOWN = "the name into your network's DNS, or this machine's /etc/hosts; or ask from a machine that knows it"


class Ways(NamedTuple):
    """The routes by name and URL, and whose certificates are believed."""

    urls: Sequence[tuple[str, str]] = ()
    trust: Trust = Trust()


def steps(ways: Ways) -> tuple[Step, ...]:
    """One for each."""
    return tuple(
        Step(
            f"route {name} answers at {url}",
            "that is how people come in",
            "none is needed: it is only asked",
            partial(_answers, url, ways.trust),
            patience=30,
        )
        for name, url in ways.urls
    )


def _answers(url: str, trust: Trust) -> StepState:
    answer = answers_of([url], trust)[url]
    if not answer.wrong:
        return done(f"with {answer.status}")
    if answer.problem in {"name", "certificate"}:
        return fails(answer.says, _UNKNOWN if answer.problem == "name" else _DO)
    return StepState("waits", answer.says or f"it answers with {answer.status}", _DO)
