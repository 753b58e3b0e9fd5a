"""Copies of the cluster's state on the server that keeps it: setting up what makes them, and how old the newest one is."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Dict, List, Tuple

from fluxstead.hosts.script.files import RECORDS
from fluxstead.hosts.script.item import Item, write_whole
from fluxstead.hosts.script.model import MARK, DeclaredHost, DeclaredState
from fluxstead.hosts.script.state_files import (
    BACKUP,
    BACKUP_FILE,
    SERVER_HOME,
    STATE_FILES,
    STORE_LOGIN,
    TIMER_FILE,
    state_files,
)
from fluxstead.hosts.script.tools import WORK_SECONDS, StepError, answer, run, text_of

DATASTORES = {"sqlite": f"{SERVER_HOME}/db/state.db", "etcd": f"{SERVER_HOME}/db/etcd"}
ENDINGS = {"sqlite": ".tar.gz.age", "etcd": ""}
SHOWN = "Result,ExecMainStatus,ActiveState"


@dataclass(frozen=True)
class FoundCopies:
    """What there is of copies on this host."""

    now: float
    data: bool
    """There is a datastore to copy."""
    since: float
    """When copying was set up."""
    newest: float = 0.0
    """When the newest copy was made; 0 where there is none."""
    count: int = 0
    failed: str = ""
    """What the last run said, if it failed."""
    beside: bool = False
    """They lie on the filesystem of what they are copies of."""


def state_item(node: DeclaredHost) -> Item:
    """What copies SQLite, on the server where that is described; elsewhere nothing, and what was here once is taken away.

    Copies themselves are never removed; the login for a bucket goes with the rest.
    """
    wanted = state_files(node)
    if not wanted:
        left = [path for path in STATE_FILES if text_of(path).startswith(MARK)]
        why = f"no longer described: {', '.join(left)}" if left else "none are described"
        return Item("copies of the datastore", not left, why, lambda: _remove(left))
    differs = [path for path, text in wanted.items() if text_of(path) != text]
    states = {what: answer(["systemctl", f"is-{what}", f"{BACKUP}.timer"])[1].strip() for what in ("enabled", "active")}
    idle = [what for what, state in states.items() if state != what]
    why = "; ".join(
        [f"{', '.join(differs)} {'differ' if len(differs) > 1 else 'differs'}"] * bool(differs)
        + [f"{BACKUP}.timer is not {' and '.join(idle)}"] * bool(idle)
    )
    return Item("copies of the datastore", not why, why or "by a timer", lambda: _set_up(wanted))


def _set_up(wanted: Dict[str, str]) -> None:
    for path, text in wanted.items():
        write_whole(path, text)
    run("systemctl", "daemon-reload", seconds=WORK_SECONDS)
    run("systemctl", "enable", f"{BACKUP}.timer", seconds=WORK_SECONDS)
    # Also where it was at work already: by the former calendar.
    run("systemctl", "restart", f"{BACKUP}.timer", seconds=WORK_SECONDS)


def _remove(left: List[str]) -> None:
    if TIMER_FILE in left:
        run("systemctl", "disable", "--now", f"{BACKUP}.timer", seconds=WORK_SECONDS)
    for path in left:
        os.unlink(path)
    for path in (STORE_LOGIN, os.path.dirname(STORE_LOGIN), os.path.dirname(BACKUP_FILE)):
        with suppress(OSError):
            os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
    run("systemctl", "daemon-reload", seconds=WORK_SECONDS)


def copies_found(node: DeclaredHost) -> FoundCopies:
    """What there is of copies, where some are described."""
    state = node.state
    if state is None:
        raise StepError("no copies are described")
    data = DATASTORES[state.datastore]
    times = [_made(os.path.join(state.folder, name)) for name in _copies_in(state.folder, ENDINGS[state.datastore])]
    return FoundCopies(
        now=time.time(),
        data=os.path.exists(data),
        since=_made(TIMER_FILE if state.datastore == "sqlite" else data),
        newest=max(times, default=0.0),
        count=len(times),
        failed=_failure() if state.datastore == "sqlite" else "",
        beside=state.datastore == "sqlite" and _device(state.folder) == _device(data),
    )


def copies_wrong(state: DeclaredState, found: FoundCopies) -> List[Tuple[str, str]]:
    """What is wrong with copies, and what to type on the host: as a pure function of what is told and what is found."""
    if not found.data:
        return []
    look = f"sudo journalctl -u {BACKUP} -n 20" if state.datastore == "sqlite" else "sudo journalctl -u k3s | grep -i snapshot"
    again = f"sudo systemctl start {BACKUP}" if state.datastore == "sqlite" else "sudo k3s etcd-snapshot save"
    wrong = []
    if found.failed:
        wrong.append((f"the last copy of the datastore failed: {found.failed}", f"{look}; {again}"))
    age = found.now - (found.newest or found.since)
    if age > state.late:
        what = f"the newest copy of the datastore is {_days(age)} old" if found.newest else "the datastore was never copied"
        wrong.append((f"{what} (in {state.folder})", f"{look}; {again}"))
    if found.beside and not state.store and not state.folder.startswith(RECORDS):
        why = "copies of the datastore lie on its own disk, and die with it"
        wrong.append((f"{why}: nothing is mounted at {state.folder}", f"findmnt --target {state.folder}"))
    return wrong


def copies_told(node: DeclaredHost) -> Dict[str, object]:
    """What a plan says of them; nothing where none are described."""
    if node.state is None:
        return {}
    found = copies_found(node)
    wrong = [{"says": says, "type": words} for says, words in copies_wrong(node.state, found)]
    newest = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found.newest)) if found.newest else ""
    return {"copies": {"newest": newest, "count": found.count, "wrong": wrong}}


def _failure() -> str:
    """What the last run said last, where it failed; empty where it did not, or none ran since the boot."""
    _, out, _ = answer(["systemctl", "show", f"--property={SHOWN}", f"{BACKUP}.service"], looks=True)
    shown = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    if shown.get("ActiveState") != "failed":
        return ""
    if shown.get("Result") != "exit-code":
        return f"it was ended ({shown.get('Result')})"
    _, said, _ = answer(["journalctl", "-u", BACKUP, "-n", "20", "-o", "cat", "-q", "_TRANSPORT=stdout"], looks=True)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return (lines[-1] if lines else f"it ended with {shown.get('ExecMainStatus')}")[:400]


def _copies_in(folder: str, ending: str) -> List[str]:
    return [name for name in os.listdir(folder) if name.endswith(ending) and name[0] != "."] if os.path.isdir(folder) else []


def _made(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _device(path: str) -> int:
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return os.stat(path).st_dev


def _days(seconds: float) -> str:
    hours = int(seconds // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
