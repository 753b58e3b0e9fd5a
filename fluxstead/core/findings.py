"""Findings: what is wrong, where, why it matters and what to write instead.

Loading and checks collect findings and never raise; only the program and the CLI print them, all at once
(failure U7: only the first configuration error was shown).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

_MOST_ALIKE = 20


class Severity(IntEnum):
    """How much a finding weighs: an error stops the program before anything is written, a warning does not."""

    ERROR = 0
    WARNING = 1

    def __str__(self) -> str:
        return self.name.lower()


class Source(NamedTuple):
    """A place in a file that a person wrote: the path relative to the project, and the line counted from 1."""

    file: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Finding(NamedTuple):
    """One problem. `what` names it, `why` says in one clause what it leads to, `fix` says what to write instead."""

    source: Source
    severity: Severity
    id: str
    what: str
    why: str
    fix: str

    def text(self) -> str:
        """The finding as a person reads it, in at most three lines."""
        return f"{self.source}: {self.severity} [{self.id}] {self.what}\n    because: {self.why}\n    write:   {self.fix}"


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those findings that stop the program."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def report(findings: Iterable[Finding]) -> str:
    """All findings, sorted by place, and a closing line that counts them."""
    ordered = sorted(findings)
    failed = len(errors(ordered))
    counts = [counted(number, noun) for number, noun in ((failed, "error"), (len(ordered) - failed, "warning")) if number]
    return "\n".join([*(finding.text() for finding in ordered), ", ".join(counts)])


def shortened(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, sorted; of many with one id in one file the first ones, and one more with the number of those left out."""
    kept: list[Finding] = []
    told: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings):
        alike = told.setdefault((finding.source.file, finding.id), [])
        alike.append(finding)
        if len(alike) <= _MOST_ALIKE:
            kept.append(finding)
    for alike in told.values():
        rest = alike[_MOST_ALIKE:]
        if rest:
            more = f"; and {len(rest) - 1} more of this kind in the file" if len(rest) > 1 else ""
            kept.append(rest[0]._replace(what=f"{rest[0].what}{more}"))
    return sorted(kept)


def gathered(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted; of those that ask for one change at one line, such as for each user of a shared file, the first with a count."""
    same: dict[tuple[Source, str, str], list[Finding]] = {}
    for finding in sorted(set(findings)):
        same.setdefault((finding.source, finding.id, finding.fix), []).append(finding)
    return [
        first if not more else first._replace(what=f"{first.what} (and {len(more)} more like this)")
        for first, *more in same.values()
    ]


def some(names: Sequence[str], most: int) -> str:
    """The first few of many, and how many more there are: `a, b and 3 more`."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number and what is counted: `1 disk`, `2 disks`, `0 disks`, `2 copies`."""
    return f"{number or 'no'} {noun if number == 1 else plural or f'{noun}s'}"
