"""The programs that k3s has inside itself: started here, ended with this process however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from .places import LOGS, PROGRAMS

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 8
LAST_LINES = 5


class ChildEnded(Exception):
    """A program ended that has to run; the message has its last lines."""


def say(text: str) -> None:
    """A line of the journal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class Children:
    """Started in order, stopped in the other order."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: Sequence[object], program: str = "") -> None:
        """Start a program; its output goes to a file of its name."""
        LOGS.mkdir(parents=True, exist_ok=True)
        with (LOGS / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                [program or str(PROGRAMS / name), *map(str, arguments)],
                env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ.get('PATH', os.defpath)}", "NOTIFY_SOCKET": ""},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 -- prctl is all it calls
            )
        say(f"started {name}")

    def wait(self, what: str, there: Callable[[], bool], seconds: float = 300) -> None:
        """Wait until something is there, while all programs run. Raises ChildEnded."""
        end = time.monotonic() + seconds
        while not there():
            self.check()
            if time.monotonic() > end:
                raise ChildEnded(f"{what} was not there after {seconds:.0f} s")
            time.sleep(0.1)

    def check(self) -> None:
        """Raise ChildEnded where a program ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                lines = (LOGS / f"{name}.log").read_text(errors="replace").splitlines()[-LAST_LINES:]
                raise ChildEnded(f"{name} ended with {process.returncode}: " + " | ".join(lines))

    def stop(self) -> None:
        """End what is running, the last started first. Containers go on, as they do under k3s."""
        for process in reversed(list(self._running.values())):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
