"""Time that passes, so that tests need not wait for it."""

from __future__ import annotations

import time


class Clock:
    """Seconds since some moment, and waiting for them to pass."""

    def now(self) -> float:
        """Seconds, which never go back, and pass while the machine sleeps, where its clock can tell."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
