"""Rules: pure functions from evidence to findings, and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from fluxstead.core.check import Check
from fluxstead.core.findings import Finding

Evidence = TypeVar("Evidence")


class Remark(NamedTuple):
    """What is reported besides the findings: what could not be looked at, or how it was."""

    text: str


def not_checked(what: str) -> Remark:
    """What could not be looked at, and why: silence would pass for a clean bill."""
    return Remark(f"not checked: {what}")


@dataclass(frozen=True, slots=True)
class Rule(Generic[Evidence]):
    """What looks at one kind of evidence, and the checks whose findings it makes."""

    function: Callable[[Evidence], Iterable[Finding | Remark]]
    checks: tuple[Check, ...]


def run(evidence: Evidence, rules: Sequence[Rule[Evidence]]) -> Iterator[Finding | Remark]:
    """What these rules say about the evidence."""
    for rule in rules:
        yield from rule.function(evidence)
