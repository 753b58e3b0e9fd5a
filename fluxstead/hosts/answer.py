"""What the script on a host answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fluxstead.hosts.trouble import not_answered

STATUS = ("fine", "refused", "failed", "wrong use")
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

    @property
    def refused(self) -> bool:
        """Whether nothing was done, or would be."""
        return self.status != "fine"

    @property
    def work(self) -> bool:
        """Whether something is to be done."""
        return any(disk.action != "nothing" for disk in self.disks) or any(item["state"] == "due" for item in self.system)


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
    )


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
