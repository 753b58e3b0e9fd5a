"""Running the host's tools, bounded in time, and saying what was done."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import Any, Callable, List, NoReturn, Sequence, Tuple

PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATHS, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}
COMMAND_SECONDS = 60
"""For a tool that only asks or tells."""
WORK_SECONDS = 300
"""For one that has work of its own: a unit may take 90 s before systemd says why it failed, a mount may replay a journal."""
NEW_MOUNTS = 0x00020000
"""CLONE_NEWNS of <linux/sched.h>."""
END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of <linux/prctl.h>."""
PASSED: List[int] = []
"""Descriptors that tools inherit: the lock, so that it is held until the last of them is gone."""


class StepError(Exception):
    """A step did not do what it should; the text says what was seen."""


class RefusedError(Exception):
    """The host is no longer as the plan found it; nothing more is done."""


def say(**fields: Any) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(json.dumps(fields, sort_keys=False) + "\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """One line on standard error, for whoever watches."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def step(name: str, action: Callable[[], Any], **fields: Any) -> Any:
    """Does one step, and says that it begins and how it ended."""
    say(step=name, status="start", **fields)
    about = " ".join(str(fields[key]) for key in ("disk", "device", "seen") if fields.get(key))
    tell(f"{name}: {about}" if about else name)
    began = time.monotonic()
    try:
        result = action()
    except (StepError, OSError) as error:
        # An item tells what was seen before it was done; now counts what went wrong.
        say(**{**fields, "step": name, "status": "failed", "seconds": round(time.monotonic() - began, 2), "seen": str(error)})
        raise StepError(f"{name}: {error}") from error
    say(step=name, status="done", seconds=round(time.monotonic() - began, 2), **fields)
    return result


def answer(command: Sequence[str], seconds: float = COMMAND_SECONDS) -> Tuple[int, str, str]:
    """(exit status, standard output, standard error) of a tool; 127 when it is not installed."""
    pipe = subprocess.PIPE
    try:
        tool = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=ENVIRONMENT, pass_fds=PASSED)
    except FileNotFoundError:
        return 127, "", f"{command[0]} is not installed"
    try:
        out, err = tool.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        # Not waited for: what sleeps in the kernel for a disk that never answers does not even die.
        tool.kill()
        raise StepError(f"{' '.join(command)} took more than {seconds:g} s") from None
    return tool.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def run(*command: str, seconds: float = COMMAND_SECONDS) -> str:
    """The output of a tool that must succeed."""
    status, out, err = answer(command, seconds)
    if status:
        tail = " ".join((err or out).split())[-500:]
        raise StepError(f"{' '.join(command)} ended with {status}: {tail}")
    return out


def apart(work: Callable[[], Any], seconds: float, own_mounts: bool = False) -> Any:
    """What `work` returns (as JSON can hold it), from a process of its own that is given up after a time.

    With mounts of its own, whatever it mounts ends with it, even when it is killed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # Else one that a dead disk never answers would hold the lock, and the pipes that ssh waits for.
        os.close(reader)
        while PASSED:
            os.close(PASSED.pop())
        nothing = os.open(os.devnull, os.O_RDWR)
        for inherited in (0, 1, 2):
            os.dup2(nothing, inherited)
        ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)
        _work_apart(work, writer, own_mounts)
    os.close(writer)
    data = b""
    deadline = time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(reader, 65536) if ready else b""
        if not piece:
            break
        data += piece
    os.close(reader)
    if not ready:
        os.kill(child, signal.SIGKILL)
        raise StepError(f"no answer within {seconds:g} s")
    os.waitpid(child, 0)
    answered = json.loads(data or b'{"failed": "it ended without an answer"}')
    if "failed" in answered:
        raise StepError(answered["failed"])
    return answered["result"]


def _work_apart(work: Callable[[], Any], writer: int, own_mounts: bool) -> NoReturn:
    try:
        try:
            if own_mounts:
                _leave_mounts()
            result = {"result": work()}
        except Exception as error:  # noqa: BLE001 - a process apart has nobody above it to tell but through the pipe
            result = {"failed": f"{error}"}
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(json.dumps(result).encode())
    finally:
        # Whatever happened: what follows in this copy of the program is the parent's to do.
        os._exit(0)


def _leave_mounts() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "unshare of mounts")
    run("mount", "--make-rprivate", "/")
