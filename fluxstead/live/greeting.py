"""What the API's first answer says beside its version: its time, and until when the certificates of both sides are valid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

_HALF_A_SECOND = timedelta(milliseconds=500)


class Greeting(NamedTuple):
    """`asked`: when, by the clock here. `ahead`: how far that clock is ahead of the API's; None where it says no time.

    `own_end`, `its_end`: of the kubeconfig's certificate, and of the API's; None where there is none.
    """

    asked: datetime
    ahead: timedelta | None = None
    own_end: datetime | None = None
    its_end: datetime | None = None


def ahead_of(date: str, sent: datetime, received: datetime) -> timedelta | None:
    """How far the clock here is ahead of one that wrote this Date header in between, which it cuts to whole seconds (RFC 9110)."""
    try:
        said = parsedate_to_datetime(date).replace(tzinfo=UTC)
    except (ValueError, TypeError):
        return None
    return sent + (received - sent) / 2 - said - _HALF_A_SECOND
