"""Moments, as the API writes them (RFC 3339)."""

from __future__ import annotations

from datetime import datetime, timedelta


def moment_of(said: object) -> datetime | None:
    """A moment; None where none is said, or without a time zone."""
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return found if found.tzinfo else None


def longer_ago(moment: datetime | None, than: timedelta, now: datetime) -> bool:
    """Whether a moment is known, and longer ago than that."""
    return moment is not None and now - moment > than
