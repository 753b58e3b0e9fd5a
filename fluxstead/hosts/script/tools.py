"""Running the host's tools and whatever may hang, bounded in time, and saying what was done."""

from __future__ import annotations

import ctypes
import errno
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
HOLD_TRIES = 10
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


def answer(command: Sequence[str], seconds: float = COMMAND_SECONDS, looks: bool = False) -> Tuple[int, str, str]:
    """(exit status, standard output, standard error) of a tool; 127 when it is not installed.

    One that only looks has no part in the lock: stuck on a dead disk, it would keep every later run out.
    """
    pipe = subprocess.PIPE
    lock = [] if looks else PASSED
    try:
        tool = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=ENVIRONMENT, pass_fds=lock)
    except FileNotFoundError:
        return 127, "", f"{command[0]} is not installed"
    try:
        out, err = tool.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        # Not waited for: what sleeps in the kernel for a disk that never answers does not even die.
        tool.kill()
        raise StepError(f"{' '.join(command)} took more than {seconds:g} s") from None
    return tool.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def run(*command: str, seconds: float = COMMAND_SECONDS, looks: bool = False) -> str:
    """The output of a tool that must succeed."""
    status, out, err = answer(command, seconds, looks)
    if status:
        tail = " ".join((err or out).split())[-500:]
        raise StepError(f"{' '.join(command)} ended with {status}: {tail}")
    return out


def apart(work: Callable[[], Any], seconds: float, own_mounts: bool = False) -> Any:
    """What `work` returns (as JSON can hold it), from a process of its own that is given up after a time.

    With mounts of its own, whatever it mounts ends with it, even when it is killed. Raises RefusedError where `work` does, and
    StepError for whatever else went wrong.
    """
    parent = os.getpid()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _work_apart(work, parent, writer, own_mounts)
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
    # Bounded too: as it ends it closes the disk, and one that hangs by now does not let it.
    while not os.waitpid(child, os.WNOHANG)[0] and time.monotonic() < deadline:
        time.sleep(0.002)
    return _told_apart(data)


def _told_apart(data: bytes) -> Any:
    try:
        answered = json.loads(data)
    except ValueError:
        raise StepError("it ended without an answer") from None
    if "refused" in answered:
        raise RefusedError(answered["refused"])
    if "failed" in answered:
        raise StepError(answered["failed"])
    return answered["result"]


def _work_apart(work: Callable[[], Any], parent: int, writer: int, own_mounts: bool) -> NoReturn:
    try:
        try:
            _end_with(parent)
            _let_go()
            if own_mounts:
                _leave_mounts()
            result = {"result": work()}
        except RefusedError as error:
            result = {"refused": str(error)}
        except Exception as error:  # noqa: BLE001 - a process apart has nobody above it to tell but through the pipe
            result = {"failed": str(error) or type(error).__name__}
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(json.dumps(result).encode())
    finally:
        # Whatever happened: what follows in this copy of the program is the parent's to do.
        os._exit(0)


def _end_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _let_go() -> None:
    """The lock, and the pipes by which ssh tells that a run is over: a dead disk may keep this process for ever."""
    while PASSED:
        os.close(PASSED.pop())
    nothing = os.open(os.devnull, os.O_RDWR)
    for inherited in (0, 1, 2):
        os.dup2(nothing, inherited)


def _leave_mounts() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "unshare of mounts")
    run("mount", "--make-rprivate", "/")


def opened(path: str, alone: bool) -> int:
    """A device that is open for reading, alone with nobody else who holds it; udev, which only looks, is waited for.

    Raises RefusedError when it stays held.
    """
    for _ in range(HOLD_TRIES):
        try:
            return os.open(path, os.O_RDONLY | (os.O_EXCL if alone else 0))
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            time.sleep(0.5)
    raise RefusedError(f"{path} was taken into use since it was read")


def text_of(path: str) -> str:
    """A small file's text, empty when it is not there."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
