"""What the script on a host answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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

    @property
    def refused(self) -> bool:
        """Whether nothing was done, or would be."""
        return self.status != "fine"

    @property
    def work(self) -> bool:
        """Whether something is to be done."""
        return any(disk.action != "nothing" for disk in self.disks) or any(item["state"] == "due" for item in self.system)


def read_answer(output: str, trouble: str = "") -> Answer:
    """The result in the script's output: its last line of JSON with a `result`. Without one, an answer that says so.

    `trouble` is what came on standard error, where sudo, the shell and sshd complain.
    """
    for line in reversed(output.splitlines()):
        try:
            result = json.loads(line).get("result")
        except (ValueError, AttributeError):
            continue
        if isinstance(result, dict):
            return _answer(result)
    shown = " / ".join([*output.strip().splitlines()[-3:], *trouble.strip().splitlines()[-3:]])
    return Answer("failed", (f"the host answered nothing that can be read: {shown or 'no output'}",))


def _answer(result: Mapping[str, Any]) -> Answer:
    return Answer(
        status=result["status"],
        why=tuple(result.get("why") or ()),
        disks=tuple(_disk(disk) for disk in result.get("disks") or ()),
        system=tuple(result.get("system") or ()),
        inventory=tuple(result.get("inventory") or ()),
        restart=result.get("restart") or "",
        pressure=tuple(result.get("pressure") or ()),
    )


def _disk(data: Mapping[str, Any]) -> DiskAnswer:
    return DiskAnswer(
        name=data["name"],
        mount_path=data["mountPath"],
        action=data["action"],
        why=tuple(data["why"]),
        message=data["message"],
        write=data["write"],
        filesystem_uuid=data["filesystemUuid"],
        found=data["found"],
        notes=tuple(data["notes"]),
    )
