"""The modes. `plan` reads and says what would be done; `apply` is the plan, and then does it.

An apply that is told of k3s does that alone, on a host that was prepared before. `look` reads k3s and no disk. `mint` and
`kubeconfig` fetch from a running server what joins an agent, and what people reach the API by. `login` leaves there how copies of
the cluster's state get into a bucket.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from typing import Any, Dict, List, NoReturn, Optional, Tuple

from fluxstead.hosts.script.act import decide_one, prepare_disk
from fluxstead.hosts.script.decide import decide
from fluxstead.hosts.script.k3s_model import ToldK3s, read_told
from fluxstead.hosts.script.k3s_run import applied_k3s, k3s_looked_at, kubeconfig, minted, with_k3s
from fluxstead.hosts.script.model import DeclaredHost, FoundDisk, Host, Verdict, WrongUseError, read_node
from fluxstead.hosts.script.preflight import preflight
from fluxstead.hosts.script.read import read_host
from fluxstead.hosts.script.state_copies import copies_told
from fluxstead.hosts.script.state_login import handed_over, read_login
from fluxstead.hosts.script.system import initiator, items, pressure, refusals, restart_due
from fluxstead.hosts.script.text import contents, said
from fluxstead.hosts.script.tools import PASSED, RefusedError, StepError, say, step, tell, text_of

FINE, REFUSED, WRONG, FAILED = 0, 1, 2, 3
STATUS = {"fine": FINE, "refused": REFUSED, "wrong use": WRONG, "failed": FAILED}
"""What the run ends with, by what its result says."""
MODES = ("plan", "apply", "look", "mint", "kubeconfig", "login")
LOCK = "/run/fluxstead.lock"
LOCK_SECONDS = {"plan": 20.0, "apply": 120.0, "look": 60.0, "mint": 60.0, "kubeconfig": 20.0, "login": 120.0}
"""How long a run waits for another one, or for what a killed one still has running."""
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"


def main(payload: str, token: str = "", connection: str = "") -> int:
    """Runs the mode that the payload names on the node that it holds; the exit status.

    The result carries the token, by which it is told from whatever else the login prints. `connection` is what sshd says of it.
    """
    try:
        mode, node, seconds, told = _read(payload)
        login = read_login(payload) if mode == "login" else {}
    except (ValueError, WrongUseError) as error:
        return _end(token, {"status": "wrong use", "why": [str(error)]})
    # A hardened login has one that would hide our files from the services that read them.
    os.umask(0o022)
    about: Dict[str, Any] = {"node": node.name, "mode": mode}
    if os.geteuid() != 0:
        return _end(token, {**about, "status": "failed", "why": ["not root: run it through sudo -n"]})
    _end_in_time(seconds, token, about)
    try:
        _lock(mode)
        return _end(token, {**about, **(handed_over(login) if login else _done(mode, node, told, connection))})
    except RefusedError as error:
        return _end(token, {**about, "status": "refused", "why": [str(error)]})
    except (StepError, OSError) as error:
        return _end(token, {**about, "status": "failed", "why": [str(error)]})


def _done(mode: str, node: DeclaredHost, told: Optional[ToldK3s], connection: str) -> Dict[str, Any]:
    if mode == "mint":
        return minted()
    if mode == "kubeconfig":
        return kubeconfig()
    if mode == "plan":
        planned = _plan(node, connection)
        return with_k3s(planned, told, node) if told else planned
    if mode == "look":
        return k3s_looked_at(told, node)
    return applied_k3s(told, node) if told else _apply(node)


def _read(payload: str) -> Tuple[str, DeclaredHost, int, Optional[ToldK3s]]:
    data = json.loads(payload)
    mode = data.get("mode") if isinstance(data, dict) else None
    if mode not in MODES:
        raise WrongUseError(f"mode is {mode!r}; it is {' or '.join(MODES)}")
    seconds = data.get("seconds")
    if not isinstance(seconds, int):
        raise WrongUseError(f"seconds is {seconds!r}; it is how long the run may take")
    told = read_told(data["k3s"], mode) if data.get("k3s") is not None else None
    return mode, read_node(data.get("node")), seconds, told


def _end(token: str, result: Dict[str, Any]) -> int:
    """The result as the last line for programs; of an apply that did not go well, its reasons as the last for people."""
    say(answer=token, result=result)
    if result["status"] != "fine" and result.get("mode") == "apply":
        tell(f"{result['node']}: {result['status']}")
        for why in result["why"]:
            tell(f"  {why}")
        for disk in result.get("disks", ()):
            if disk["write"]:
                tell(f"  write, at disk {disk['name']}: {disk['write']}")
    return STATUS[result["status"]]


def _end_in_time(seconds: int, token: str, about: Dict[str, Any]) -> None:
    """Ends the run, and the tools that it started, once its time is over: whoever asked hears of it before they give up."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)

    def ended(*_: object) -> NoReturn:
        why = f"not done within {seconds} s: a disk that hangs may be why (look at dmesg on the host); a later run carries on"
        line = json.dumps({"answer": token, "result": {**about, "status": "failed", "why": [why]}})
        # Not through sys.stdout, which the signal may have interrupted in the middle of a line.
        os.write(1, f"\n{line}\n".encode())
        os.write(2, f"{about['node']}: failed\n  {why}\n".encode())
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        os._exit(FAILED)

    signal.signal(signal.SIGALRM, ended)
    signal.alarm(seconds)


def _lock(mode: str) -> None:
    try:
        handle = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = (
            f"{LOCK} cannot be written ({error.strerror}): a run keeps its lock there; look at `findmnt /run; df /run; df -i /run`"
        )
        raise StepError(why) from None
    deadline = time.monotonic() + LOCK_SECONDS[mode]
    while True:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if mode in ("apply", "login") else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                why = "another preparation of this host is running, or a tool of one is stuck on a disk that hangs"
                raise StepError(f"{why} ({LOCK} is locked; who holds it: sudo fuser -v {LOCK})") from None
            time.sleep(0.2)
    PASSED.append(handle)


def _verdicts(node: DeclaredHost) -> Tuple[Host, List[Verdict], List[str]]:
    host: Host = step("read", lambda: read_host(node))
    verdicts = [decide(declared, node, host) for declared in node.disks]
    tasks = {task for verdict in verdicts for task in verdict.tasks}
    refused = [said(verdict) for verdict in verdicts if verdict.action == "refuse"]
    return host, verdicts, [*preflight(node, tasks), *refusals(node), *refused]


def _plan(node: DeclaredHost, connection: str) -> Dict[str, Any]:
    host, verdicts, why = _verdicts(node)
    return {
        "status": "refused" if why else "fine",
        "why": why,
        "disks": [_told(verdict) for verdict in verdicts],
        "system": [{"item": i.name, "state": "fine" if i.right else "due", "why": i.why} for i in items(node)],
        "inventory": [_seen(disk) for disk in host.disks],
        # sshd gives its own address third.
        "login": {"address": "".join(connection.split()[2:3]), "hostKey": " ".join(text_of(HOST_KEY).split()[:2])},
        "machine": os.uname().machine,
        "pressure": pressure(),
        **copies_told(node),
        **_k3s(),
    }


def _k3s() -> Dict[str, Any]:
    return {"initiator": initiator(), "restart": restart_due()}


def _apply(node: DeclaredHost) -> Dict[str, Any]:
    host, verdicts, why = _verdicts(node)
    if why:
        return {"status": "refused", "why": why, "disks": [_told(verdict) for verdict in verdicts]}
    system = _do_items(node)
    disks: List[Dict[str, Any]] = []
    for index, verdict in enumerate(verdicts):
        try:
            disks.append(_do_disk(verdict, node, host))
        except RefusedError as error:
            late = _refused_late(verdict, node, host, str(error))
            rows = [*disks, late, *(_told(later) for later in verdicts[index + 1 :])]
            # Once, where both say the same.
            reasons = list(dict.fromkeys([str(error), late["message"]]))
            return {"status": "refused", "why": reasons, "disks": rows, "system": system}
    changed = any(disk["done"] for disk in disks) or any(item["state"] == "done" for item in system)
    return {"status": "fine", "changed": changed, "why": [], "disks": disks, "system": system, **_k3s()}


def _do_disk(verdict: Verdict, node: DeclaredHost, host: Host) -> Dict[str, Any]:
    name = verdict.declared.name
    done = prepare_disk(name, node, host) if verdict.tasks else []
    after = decide_one(name, node, host) if verdict.tasks else verdict
    return {**_told(after), "action": verdict.action, "why": list(verdict.why), "done": done}


def _refused_late(verdict: Verdict, node: DeclaredHost, host: Host, why: str) -> Dict[str, Any]:
    """A disk that was refused after others were prepared, as it is now: what it says to write is good for what is there now."""
    try:
        told = _told(decide_one(verdict.declared.name, node, host))
    except StepError:
        told = _told(verdict)
    return told if told["action"] == "refuse" else {**told, "action": "refuse", "why": [why], "message": why, "write": ""}


def _do_items(node: DeclaredHost) -> List[Dict[str, Any]]:
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


def _seen(disk: FoundDisk) -> Dict[str, Any]:
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
    sys.exit(main(sys.stdin.readline(), *sys.argv[1:3]))
