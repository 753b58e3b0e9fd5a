"""Warnings that the operator accepts, by id and with a reason. Errors cannot be accepted."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

from fluxstead.core.check import Check, refuses, warns
from fluxstead.core.findings import Finding, Severity, Source

ERROR_ACCEPTED = refuses("accept/error", "U7", "`storage/tags` is an error", "the description")
UNKNOWN_ACCEPTED = refuses("accept/unknown", "U7", "no check is called `storage/tags-unusd`", "the description")
UNUSED_ACCEPTANCE = warns("accept/unused", "U7", "there is no finding for `storage/tags-unused` to accept", "the description")
CHECKS = (ERROR_ACCEPTED, UNKNOWN_ACCEPTED, UNUSED_ACCEPTANCE)


class AcceptedWarning(Protocol):
    """What the description says."""

    @property
    def id(self) -> str:
        """The warning's id."""

    def source_of(self, *keys: str | int) -> Source:
        """Where it is written."""


def without(findings: Iterable[Finding], names: Collection[str]) -> Iterator[Finding]:
    """The findings without the warnings of these ids."""
    return (one for one in findings if one.severity is Severity.ERROR or one.id not in names)


def accepted(findings: Collection[Finding], acceptances: Sequence[AcceptedWarning], checks: Sequence[Check]) -> Iterator[Finding]:
    """The findings without the accepted warnings, plus what is wrong with the acceptances themselves."""
    found = {finding.id: finding.severity for finding in sorted(findings, reverse=True)}
    names = {acceptance.id for acceptance in acceptances}
    yield from without(findings, names)
    severities = {check.id: check.severity for check in checks}
    later = {check.id for check in checks if check.looks_at == "the files on disk"}
    for acceptance in acceptances:
        severity = severities.get(acceptance.id)
        if severity is None:
            near = difflib.get_close_matches(acceptance.id, severities, n=1)
            yield UNKNOWN_ACCEPTED(
                acceptance.source_of("id"),
                what=f"no check is called `{acceptance.id}`",
                why="the warning you meant is not accepted",
                fix=near[0] if near else "an id of `./run check --list`",
            )
        elif severity is Severity.ERROR:
            yield ERROR_ACCEPTED(
                acceptance.source_of("id"),
                what=f"`{acceptance.id}` is an error",
                why="what it reports would break the cluster, whatever the reason",
                fix="what the error asks for",
            )
        elif acceptance.id not in found and acceptance.id not in later:
            yield UNUSED_ACCEPTANCE(
                acceptance.source_of("id"),
                what=f"there is no finding for `{acceptance.id}` to accept",
                why="it would hide the warning if it came back for another reason",
                fix="the list without it",
            )
