"""The cluster's programs as plain processes: on loopback, stopped by their handles, gone with the tests that started them."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 5
ERROR = re.compile(r'^E\d{4} |level"?[=:]"?error', re.IGNORECASE)
"""How Kubernetes' programs, and Flux's and kwok, mark a line that is an error."""
LINES_READ, ERRORS_SHOWN = 400, 4


class StartError(Exception):
    """A program ended, or did not become ready in time; the message ends with its last lines."""


class Processes:
    """Started in order, stopped in the other order."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Start a program; its output goes to a file of its name."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                list(arguments),
                env={"PATH": os.environ["PATH"], "HOME": str(self.logs), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # an interrupt from the terminal is for the tests, which then stop these in order
                preexec_fn=_end_with_parent,  # noqa: PLW1509 -- prctl is all it calls
            )

    def wait(self, name: str, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until a program says that it is ready."""
        end = time.monotonic() + seconds
        while not ready():
            if self._running[name].poll() is not None or time.monotonic() > end:
                message = f"{name} did not become ready; its last lines:\n{self.tail(name, 15)}"
                raise StartError(message)
            time.sleep(0.1)

    def end(self, name: str) -> None:
        """End one program; it may end what it started first."""
        process = self._running.pop(name)
        process.terminate()
        _ended(process)

    def tail(self, name: str, lines: int) -> str:
        """The last lines that a program wrote."""
        log = self.logs / f"{name}.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def errors(self) -> list[str]:
        """The last errors of each program, by its name."""
        found = []
        for name in self._running:
            lines = [line for line in self.tail(name, LINES_READ).splitlines() if ERROR.search(line)]
            found += [f"{name}: {line[:500]}" for line in lines[-ERRORS_SHOWN:]]
        return found

    def memory(self) -> dict[str, int]:
        """MiB that each program holds now."""
        held = {}
        for name, process in self._running.items():
            status = Path(f"/proc/{process.pid}/status").read_text()
            (kilobytes,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
            held[name] = int(kilobytes) // 1024
        return held

    def stop(self) -> None:
        """End what is running, the last started first."""
        for process in reversed(self._running.values()):
            process.terminate()
        for process in reversed(self._running.values()):
            _ended(process)
        self._running.clear()


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    """However the tests end, even killed, the kernel ends what they started."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
