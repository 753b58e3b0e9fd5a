"""Schedules as Kubernetes and Longhorn read them (github.com/robfig/cron v3: parser.go, ParseStandard), and their time zones."""

from __future__ import annotations

import re
from functools import cache

from fluxstead.core.duration import Duration

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 6))
"""The fields in their order, each with its least and its greatest value."""
_NAMES = {
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "day of the week": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""What has a name, and the fields that it means."""
_RANGE = r"(?P<start>[^-/]+)(?:-(?P<end>[^-/]+))?(?:/(?P<step>[0-9]{1,9}))?"


def cron_problem(text: str) -> str | None:
    """Why this is not a schedule; None where it is one."""
    if text.startswith("@"):
        every = text.removeprefix("@every ")
        known = text in DESCRIPTORS or (every != text and Duration.read(every.strip()) is not None)
        return None if known else f"{text} is none of {', '.join(sorted(DESCRIPTORS))} and @every 1h"
    if "TZ=" in text:
        return "a time zone has no place in it"
    fields = text.split()
    if len(fields) != len(FIELDS):
        return f"it has {len(fields)} fields, and not minute, hour, day, month and day of the week"
    problems = (_field(field, *bounds) for field, bounds in zip(fields, FIELDS, strict=True))
    return next((problem for problem in problems if problem), None)


def _field(field: str, name: str, least: int, most: int) -> str | None:
    for part in field.split(","):
        match = re.fullmatch(_RANGE, part)
        if match is None:
            return f"{part!r} is no {name}"
        if match["step"] is not None and int(match["step"]) == 0:
            return f"a step of 0 for the {name}"
        if match["start"] in {"*", "?"}:
            if match["end"] is not None:
                return f"{part!r} is no {name}"
            continue
        ends = [number_of(end, name) for end in (match["start"], match["end"]) if end is not None]
        for end in ends:
            if end is None or not least <= end <= most:
                return f"{part!r} is no {name}, which is {least} to {most}"
        if len(ends) > 1 and ends != sorted(ends, key=lambda end: end or 0):
            return f"{part!r} ends before it begins"
    return None


def number_of(text: str, name: str) -> int | None:
    """A number of a field, also where it is written as a name; None where it is neither."""
    names = _NAMES.get(name, [])
    if text.lower() in names:
        return names.index(text.lower()) + (1 if name == "month" else 0)
    return int(text) if text.isascii() and text.isdecimal() else None


@cache
def is_time_zone(name: str) -> bool:
    """Whether it is in the IANA database, as far as this machine has it; where it has none, nothing is known to be wrong."""
    import zoneinfo  # noqa: PLC0415 -- most trees name none

    zones = zoneinfo.available_timezones()
    return not zones or name in zones
