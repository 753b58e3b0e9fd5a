"""When a schedule comes: as systemd's timers say it, and how long it is between two of its moments.

A schedule is cron's, as `core.cron` reads it. Where day and day of the week are both restricted, either will do (robfig/cron:
spec.go, `dayMatches`), and systemd wants both (systemd.time(7)): then there are two lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

from fluxstead.core.cron import DESCRIPTORS, FIELDS, cron_problem, number_of
from fluxstead.core.duration import Duration

_WEEKDAYS: Final = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_FIRST, _DAYS = date(2024, 1, 1), 9 * 366
"""A 29 February comes every eight years at the rarest (around 2100)."""
_DAY: Final = 24 * 60
_EVERY: Final = "@every "


class _Moments(NamedTuple):
    """The values of each field; `either`: a day is one of these days, or one of these days of the week."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool

    def on(self, day: date) -> bool:
        """Whether it comes on this day."""
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (by_day or by_weekday if self.either else by_day and by_weekday)


def calendars(cron: str) -> tuple[str, ...]:
    """systemd's OnCalendar lines that mean the same; none for `@every`, which is no matter of the clock."""
    if cron.startswith(_EVERY):
        return ()
    found = _read(cron)
    time = f"{_listed(found.hours, 24)}:{_listed(found.minutes, 60)}:00"
    weekdays = ",".join(_WEEKDAYS[one] for one in found.weekdays) + " " if len(found.weekdays) < len(_WEEKDAYS) else ""
    months, days = _listed(found.months, 12), _listed(found.days, 31)
    if found.either:
        return (f"*-{months}-{days} {time}", f"{weekdays}*-{months}-* {time}")
    return (f"{weekdays}*-{months}-{days} {time}",)


@cache
def longest_pause(cron: str) -> int | None:
    """The most seconds between two of its moments; None where it never comes, as on a 30 February."""
    if cron.startswith(_EVERY):
        every = Duration.read(cron.removeprefix(_EVERY).strip())
        return round(every.seconds) if every else None
    found = _read(cron)
    times = [hour * 60 + minute for hour in found.hours for minute in found.minutes]
    days = [number for number in range(_DAYS) if found.on(_FIRST + timedelta(number))]
    within = max((later - one for one, later in pairwise(times)), default=0)
    between = max(((later - one) * _DAY - times[-1] + times[0] for one, later in pairwise(days)), default=0)
    return max(within, between) * 60 if days else None


def schedule_problem(text: str) -> str | None:
    """Why nothing would ever be done by it; None where something would."""
    return cron_problem(text) or (None if longest_pause(text) is not None else "it never comes: no month has such a day")


def _read(cron: str) -> _Moments:
    fields = DESCRIPTORS.get(cron, cron).split()
    minutes, hours, days, months, weekdays = (
        tuple(sorted(set(_values(text, *field)))) for text, field in zip(fields, FIELDS, strict=True)
    )
    restricted = [not any(part in {"*", "?", "*/1", "?/1"} for part in fields[at].split(",")) for at in (2, 4)]
    return _Moments(minutes, hours, days, months, weekdays, all(restricted))


def _values(text: str, name: str, least: int, most: int) -> Iterator[int]:
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in {"*", "?"}:
            start, end = least, most
        else:
            start = number_of(first, name) or 0
            end = (number_of(last, name) or 0) if last else most if step else start
        yield from range(start, end + 1, int(step or 1))


def _listed(values: tuple[int, ...], whole: int) -> str:
    return "*" if len(values) == whole else ",".join(f"{value:02}" for value in values)
