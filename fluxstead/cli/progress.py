"""Progress for whoever waits: one line that changes on a terminal, a line each elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_CLEAR = "\r\x1b[K"
"""To the beginning of the line, and erase it (ECMA-48, EL)."""


@contextmanager
def progress(total: int, of: str) -> Iterator[Callable[[str], None]]:
    """Takes a text for each of `total` things that is done, and counts them on standard error."""
    terminal, done = sys.stderr.isatty(), 0

    def tell(what: str) -> None:
        nonlocal done
        done += 1
        line = f"{done} of {total} {of}: {what}"
        print(f"{_CLEAR}{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)

    if terminal:
        print(f"{_CLEAR}0 of {total} {of}", end="", file=sys.stderr, flush=True)
    try:
        yield tell
    finally:
        if terminal:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
