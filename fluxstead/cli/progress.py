"""Progress for whoever waits: one line that changes on a terminal, a line each elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer

_CLEAR = "\r\x1b[K"
"""To the beginning of the line, and erase it (ECMA-48, EL)."""


@contextmanager
def progress(total: int, of: str, after: float = 0) -> Iterator[Callable[[str], None]]:
    """Takes a text for each of `total` things that is done, and counts them on standard error, from `after` seconds on."""
    terminal, done, lock, said = sys.stderr.isatty(), 0, Lock(), not after

    def show(line: str) -> None:
        print(f"{_CLEAR}{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)

    def begin() -> None:
        nonlocal said
        with lock:
            said = True
            show(f"{done} of {total} {of}")

    def tell(what: str) -> None:
        nonlocal done
        with lock:
            done += 1
            if said:
                show(f"{done} of {total} {of}: {what}")

    timer = Timer(after, begin)
    timer.daemon = True
    if after:
        timer.start()
    elif terminal:
        show(f"0 of {total} {of}")
    try:
        yield tell
    finally:
        timer.cancel()
        if terminal and said:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
