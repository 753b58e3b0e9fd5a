"""Runs that are killed, and what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def killed_at_the_end(script: str, *arguments: str) -> Iterator[list[str]]:
    """A run of its own, by the words of its first line."""
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as run:
        assert run.stdout
        try:
            yield run.stdout.readline().split()
        finally:
            run.kill()


def await_none(left: Callable[[], object]) -> None:
    """Wait until nothing is left."""
    end = time.monotonic() + 10
    while found := left():
        assert time.monotonic() < end, found
        time.sleep(0.05)


def alive(process: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
