"""The two modes: `plan` reads and says what would be done; `apply` is the plan, and then does it."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from typing import Any, Dict, List, Tuple

from fluxstead.hosts.script.act import decide_one, prepare_disk
from fluxstead.hosts.script.decide import decide
from fluxstead.hosts.script.model import Disk, Host, Node, Verdict, WrongUseError, read_node
from fluxstead.hosts.script.read import read_host
from fluxstead.hosts.script.system import initiator, items, pressure, refusals, restart_due
from fluxstead.hosts.script.text import contents, said
from fluxstead.hosts.script.tools import PASSED, RefusedError, StepError, say, step, tell

FINE, REFUSED, WRONG, FAILED = 0, 1, 2, 3
MODES = ("plan", "apply")
LOCK = "/run/fluxstead.lock"
LOCK_SECONDS = {"plan": 20.0, "apply": 120.0}
"""How long a run waits for another one, or for what a killed one still has running."""


def main(payload: str) -> int:
    """Runs the mode that the payload names on the node that it holds; the exit status."""
    try:
        mode, node = _read(payload)
    except (ValueError, WrongUseError) as error:
        return _end({"status": "wrong use", "why": [str(error)]}, WRONG)
    about: Dict[str, Any] = {"node": node.name, "mode": mode}
    if os.geteuid() != 0:
        return _end({**about, "status": "failed", "why": ["not root: run it through sudo -n"]}, FAILED)
    try:
        _lock(mode)
        return _plan(node, about) if mode == "plan" else _apply(node, about)
    except RefusedError as error:
        return _end({**about, "status": "refused", "why": [str(error)]}, REFUSED)
    except (StepError, OSError) as error:
        return _end({**about, "status": "failed", "why": [str(error)]}, FAILED)


def _read(payload: str) -> Tuple[str, Node]:
    data = json.loads(payload)
    mode = data.get("mode") if isinstance(data, dict) else None
    if mode not in MODES:
        raise WrongUseError(f"mode is {mode!r}; it is plan or apply")
    return mode, read_node(data.get("node"))


def _end(result: Dict[str, Any], status: int) -> int:
    """The result as the last line for programs; of an apply that did not go well, its reasons as the last for people."""
    say(result=result)
    if status != FINE and result.get("mode") == "apply":
        tell(f"{result['node']}: {result['status']}")
        for why in result["why"]:
            tell(f"  {why}")
    return status


def _lock(mode: str) -> None:
    handle = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS[mode]
    while True:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if mode == "apply" else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                why = "another preparation of this host is running, or a tool of one is stuck on a disk that hangs"
                raise StepError(f"{why} ({LOCK} is locked)") from None
            time.sleep(0.2)
    PASSED.append(handle)


def _verdicts(node: Node) -> Tuple[Host, List[Verdict], List[str]]:
    host: Host = step("read", lambda: read_host(node))
    verdicts = [decide(declared, node, host) for declared in node.disks]
    why = refusals(node) + [said(verdict) for verdict in verdicts if verdict.action == "refuse"]
    return host, verdicts, why


def _plan(node: Node, about: Dict[str, Any]) -> int:
    host, verdicts, why = _verdicts(node)
    result = {**about, "status": "refused" if why else "fine", "why": why}
    result["disks"] = [_told(verdict) for verdict in verdicts]
    result["system"] = [{"item": i.name, "state": "fine" if i.right else "due", "why": i.why} for i in items(node)]
    result["inventory"] = [_seen(disk) for disk in host.disks]
    return _end({**result, "pressure": pressure(), **_k3s()}, REFUSED if why else FINE)


def _k3s() -> Dict[str, Any]:
    due, restart = restart_due()
    return {"initiator": initiator(), "restartDue": due, "restart": restart}


def _apply(node: Node, about: Dict[str, Any]) -> int:
    host, verdicts, why = _verdicts(node)
    if why:
        disks = [_told(verdict) for verdict in verdicts]
        return _end({**about, "status": "refused", "why": why, "disks": disks}, REFUSED)
    system = _do_items(node)
    done: Dict[str, List[str]] = {}
    after: List[Verdict] = []
    for verdict in verdicts:
        name = verdict.declared.name
        done[name] = prepare_disk(name, node, host) if verdict.tasks else []
        after.append(decide_one(name, node, host) if verdict.tasks else verdict)
    disks = [
        {**_told(then), "action": before.action, "why": list(before.why), "done": done[before.declared.name]}
        for before, then in zip(verdicts, after)  # noqa: B905 - Python 3.9 has no strict
    ]
    changed = any(done.values()) or any(item["state"] == "done" for item in system)
    result = {**about, "status": "fine", "changed": changed, "why": [], "disks": disks, "system": system}
    return _end({**result, **_k3s()}, FINE)


def _do_items(node: Node) -> List[Dict[str, Any]]:
    """Does what is not right, and looks again that it now is."""
    told = []
    for index in range(len(items(node))):
        item = items(node)[index]
        if not item.right:
            step(item.name, item.do, seen=item.why)
            again = items(node)[index]
            if not again.right:
                raise StepError(f"{item.name} was done and is still not right: {again.why}")
        told.append({"item": item.name, "state": "fine" if item.right else "done", "why": item.why})
    return told


def _told(verdict: Verdict) -> Dict[str, Any]:
    declared = verdict.declared
    return {
        "name": declared.name,
        "mountPath": declared.mount_path,
        "action": verdict.action,
        "why": list(verdict.why),
        "message": said(verdict) if verdict.action == "refuse" else "",
        "write": verdict.write,
        "tasks": list(verdict.tasks),
        "notes": list(verdict.notes),
        "filesystemUuid": verdict.filesystem,
        "found": _seen(verdict.disk) if verdict.disk else None,
    }


def _seen(disk: Disk) -> Dict[str, Any]:
    return {
        "path": disk.path,
        "links": list(disk.links),
        "model": disk.model,
        "serial": disk.serial,
        "wwn": disk.wwn,
        "size": disk.size,
        "contents": disk.dead or contents(disk),
        "uses": list(disk.uses),
        "mounts": [mount for volume in disk.volumes for mount in volume.mounts],
        "smart": disk.smart,
    }


if __name__ == "__main__":
    sys.exit(main(sys.stdin.readline()))
