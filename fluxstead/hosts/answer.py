"""What the script on a host answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from fluxstead.hosts.trouble import not_answered

STATUS = ("fine", "refused", "failed", "wrong use")
K3S_STATES = ("absent", "stopped", "running")
ACTIONS = ("nothing", "mend", "adopt", "prepare", "resume", "wipe", "refuse")


@dataclass(frozen=True, slots=True)
class DiskAnswer:
    """One declared disk: what happens to it (nothing, mend, adopt, prepare, resume, wipe or refuse), and why."""

    name: str
    mount_path: str
    action: str
    why: tuple[str, ...]
    message: str
    write: str
    filesystem_uuid: str
    found: Mapping[str, Any] | None
    notes: tuple[str, ...]

    @property
    def seen(self) -> str:
        """The disk that was found, in a few words."""
        if not self.found:
            return "nothing"
        parts = (self.found["path"], self.found["model"], self.found["serial"] and f"serial {self.found['serial']}")
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class K3sAnswer:
    """k3s on one host, as it is, and what happens to it (in an answer to `apply`: what happened)."""

    state: str
    """absent, stopped or running."""
    version: str
    """Of the installed binary; empty where there is none."""
    digest: str
    """SHA-256 of the installed binary; empty where there is none."""
    architecture: str
    """Of the machine, as Kubernetes calls it; empty where k3s has no binary for it."""
    running: str
    """The version that runs."""
    role: str
    """server, agent, or empty where there is neither."""
    datastore: str
    """sqlite, etcd, external, or empty."""
    node_name: str
    """By which the cluster knows this host; empty where it never joined one."""
    ready: bool
    data: bool
    """Something of a cluster lies on this host."""
    begun: str
    """`first` or `join` where a beginning was not ended: it is carried on with by the same."""
    tasks: tuple[str, ...]
    differs: tuple[str, ...]
    """What is otherwise than described, and stays so, with the procedure."""
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CopiesAnswer:
    """Copies of the cluster's state on the server that keeps it. `wrong`: what is wrong with them, and what to type there."""

    newest: str
    """When it was made; empty where there is none."""
    count: int
    wrong: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One host: its status (fine, refused, failed or wrong use), and what was found and done."""

    status: str
    why: tuple[str, ...] = ()
    disks: tuple[DiskAnswer, ...] = ()
    system: tuple[Mapping[str, str], ...] = ()
    inventory: tuple[Mapping[str, Any], ...] = ()
    restart: str = ""
    pressure: tuple[str, ...] = ()
    """Filesystems of the system that are nearly full."""
    address: str = ""
    """The host's own address, as its sshd sees the connection."""
    host_key: str = ""
    """Its sshd's public key, as the host itself has it."""
    machine: str = ""
    """What its kernel calls its architecture, such as x86_64."""
    k3s: K3sAnswer | None = None
    """None where nothing was asked of k3s."""
    copies: CopiesAnswer | None = None
    """None where nothing is described that copies the cluster's state."""
    token: str = field(default="", repr=False)
    """That joins an agent, where one was asked for."""
    kubeconfig: str = field(default="", repr=False)
    """The administrator's, where it was asked for."""

    @property
    def refused(self) -> bool:
        """Whether nothing was done, or would be."""
        return self.status != "fine"

    @property
    def work(self) -> bool:
        """Whether something is to be done."""
        due = any(item["state"] == "due" for item in self.system)
        return due or any(disk.action != "nothing" for disk in self.disks) or bool(self.k3s and self.k3s.tasks)


class _ShapeError(Exception):
    """A value of the result is not what this version's script writes; the text is its key."""


def read_answer(output: str, token: str, trouble: str = "") -> Answer:
    """The result in the script's output; without one, an answer that says so.

    `trouble` is what came on standard error, where sudo, the shell and sshd complain.
    """
    return find_answer(output, token) or Answer("failed", (not_answered(output, trouble),))


def find_answer(output: str, token: str) -> Answer | None:
    """What carries this run's token, wherever it stands; None where nothing does.

    Whatever else the login prints is no answer, be it JSON, on the same line, or what another run once said.
    """
    found = list(_carrying(output, token))
    if any(other != found[0] for other in found):
        return Answer("failed", ("the host answered twice, and not the same: its login seems to print what an earlier run said",))
    try:
        return _answer(found[0]) if found else None
    except _ShapeError as error:
        return Answer(
            "failed", (f"the host's answer cannot be read: {error} is not what the script writes; nothing was taken of it",)
        )


def _carrying(output: str, token: str) -> Iterator[Any]:
    mark = f'{{"answer": {json.dumps(token)}, "result": '
    at = output.find(mark)
    while at >= 0:
        start = at + len(mark)
        with suppress(ValueError, RecursionError):  # broken off
            yield json.JSONDecoder().raw_decode(output, start)[0]
        at = output.find(mark, start)


def _answer(data: Any) -> Answer:
    login = data.get("login", {}) if isinstance(data, dict) else {}
    return Answer(
        status=_one_of(data, "status", STATUS),
        why=_texts(data, "why"),
        disks=tuple(_disk(disk) for disk in _list(data, "disks")),
        system=tuple(_checked(item, texts=("item", "state", "why")) for item in _list(data, "system")),
        inventory=tuple(_seen(disk) for disk in _list(data, "inventory")),
        restart=_text(data, "restart", ""),
        pressure=_texts(data, "pressure"),
        address=_text(login, "address", ""),
        host_key=_text(login, "hostKey", ""),
        machine=_text(data, "machine", ""),
        k3s=_k3s(data["k3s"]) if data.get("k3s") is not None else None,
        copies=_copies(data["copies"]) if data.get("copies") is not None else None,
        token=_text(data, "token", ""),
        kubeconfig=_text(data, "kubeconfig", ""),
    )


def _k3s(data: Any) -> K3sAnswer:
    return K3sAnswer(
        state=_one_of(data, "state", K3S_STATES),
        version=_text(data, "version"),
        digest=_text(data, "digest"),
        architecture=_text(data, "architecture"),
        running=_text(data, "running"),
        role=_text(data, "role"),
        datastore=_text(data, "datastore"),
        node_name=_text(data, "nodeName"),
        ready=_flag(data, "ready"),
        data=_flag(data, "data"),
        begun=_text(data, "begun"),
        tasks=_texts(data, "tasks"),
        differs=_texts(data, "differs"),
        refused=_texts(data, "refused"),
    )


def _copies(data: Any) -> CopiesAnswer:
    count = data.get("count") if isinstance(data, dict) else None
    if isinstance(count, bool) or not isinstance(count, int):
        raise _ShapeError("count")
    wrong = tuple((_text(one, "says"), _text(one, "type")) for one in _list(data, "wrong"))
    return CopiesAnswer(_text(data, "newest"), count, wrong)


def _disk(data: Any) -> DiskAnswer:
    found = data.get("found") if isinstance(data, dict) else None
    return DiskAnswer(
        name=_text(data, "name"),
        mount_path=_text(data, "mountPath"),
        action=_one_of(data, "action", ACTIONS),
        why=_texts(data, "why"),
        message=_text(data, "message"),
        write=_text(data, "write"),
        filesystem_uuid=_text(data, "filesystemUuid"),
        found=None if found is None else _checked(found, texts=("path", "model", "serial")),
        notes=_texts(data, "notes"),
    )


def _seen(data: Any) -> Mapping[str, Any]:
    checked = _checked(data, texts=("path", "model", "serial", "contents"), lists=("links", "uses", "mounts"))
    if not isinstance(data.get("size"), int):
        raise _ShapeError("size")
    return checked


def _checked(data: Any, texts: tuple[str, ...], lists: tuple[str, ...] = ()) -> Mapping[str, Any]:
    for key in texts:
        _text(data, key)
    for key in lists:
        _texts(data, key)
    return dict(data)


def _text(data: Any, key: str, default: str | None = None) -> str:
    value = data.get(key, default) if isinstance(data, dict) else None
    if not isinstance(value, str):
        raise _ShapeError(key)
    return value


def _one_of(data: Any, key: str, known: tuple[str, ...]) -> str:
    value = _text(data, key)
    if value not in known:
        raise _ShapeError(key)
    return value


def _flag(data: Any, key: str) -> bool:
    value = data.get(key)
    if not isinstance(value, bool):
        raise _ShapeError(key)
    return value


def _list(data: Any, key: str) -> list[Any]:
    value = data.get(key, []) if isinstance(data, dict) else None
    if not isinstance(value, list):
        raise _ShapeError(key)
    return value


def _texts(data: Any, key: str) -> tuple[str, ...]:
    values = _list(data, key)
    if not all(isinstance(value, str) for value in values):
        raise _ShapeError(key)
    return tuple(values)
