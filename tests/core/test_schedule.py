"""Schedules as systemd's timers have them, held against systemd itself where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstead.core.cron import FIELDS, cron_problem
from fluxstead.core.schedule import calendars, longest_pause
from tests.conftest import examples

HOUR, DAY = 3600, 24 * 3600


@pytest.mark.parametrize(
    ("cron", "lines", "pause"),
    [
        ("15 2 * * *", ("*-*-* 02:15:00",), DAY),
        ("*/20 * * * *", ("*-*-* *:00,20,40:00",), HOUR // 3),
        ("0 22,2 * * *", ("*-*-* 02,22:00:00",), 20 * HOUR),
        ("0 6 * * mon-fri", ("Mon,Tue,Wed,Thu,Fri *-*-* 06:00:00",), 3 * DAY),
        ("0 0 1 * *", ("*-*-01 00:00:00",), 31 * DAY),
        # Either will do, where both are restricted.
        ("0 0 13 * 5", ("*-*-13 00:00:00", "Fri *-*-* 00:00:00"), 7 * DAY),
        ("@weekly", ("Sun *-*-* 00:00:00",), 7 * DAY),
        ("0 0 29 2 *", ("*-02-29 00:00:00",), 1461 * DAY),
        ("@every 90m", (), 90 * 60),
        ("0 0 30 2 *", ("*-02-30 00:00:00",), None),
    ],
)
def test_a_schedule_is_systemds_and_has_a_longest_pause(cron: str, lines: tuple[str, ...], pause: int | None) -> None:
    assert calendars(cron) == lines
    assert longest_pause(cron) == pause


def _field(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    span = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    step = st.tuples(st.sampled_from(["*", str(least)]), st.integers(2, 5)).map(lambda two: f"{two[0]}/{two[1]}")
    return st.sampled_from(["*", "*", "?"]) | number.map(str) | span | step


schedules = st.tuples(*(_field(least, most) for _, least, most in FIELDS)).map(" ".join)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@examples(0.3)
@given(schedules)
def test_systemd_comes_at_the_same_moments_and_never_rests_longer(cron: str) -> None:
    """By its own reading of the lines: the next moments lie no further apart than is said."""
    assert cron_problem(cron) is None
    pause = longest_pause(cron)
    moments = sorted({moment for line in calendars(cron) for moment in _next(line)})
    if pause is None:
        assert moments == []
        return
    # Of two lines, the moments up to the earlier one's last are all there.
    whole = min(max(_next(line), default=datetime.max.replace(tzinfo=UTC)) for line in calendars(cron))
    seen = [moment for moment in moments if moment <= whole]
    assert all(later - one <= timedelta(seconds=pause) for one, later in pairwise(seen))


def _next(line: str) -> list[datetime]:
    command = ["systemd-analyze", "calendar", "--iterations=5", "--base-time=2024-01-01 00:00:00 UTC", line]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    )
    assert done.returncode == 0, done.stderr
    found = [
        row.partition(": ")[2]
        for row in done.stdout.splitlines()
        if "Next elapse" in row or "Iter. #" in row or "Iteration #" in row
    ]
    return [datetime.strptime(one, "%a %Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC) for one in found if one[0] in "MTWFS"]
