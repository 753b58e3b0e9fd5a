"""One thing beside the disks that a prepared host has: whether it is as it should be, and how it becomes so."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Callable

from fluxstead.hosts.script.files import write_safely
from fluxstead.hosts.script.tools import StepError, text_of


@dataclass(frozen=True)
class Item:
    """One thing beside the disks that must be so."""

    name: str
    right: bool
    why: str
    """What was seen."""
    do: Callable[[], None]


def file_item(  # noqa: PLR0917 - one place, its text, and what follows from it
    name: str, path: str, text: str, then: Callable[[], None], problem: Callable[[], str] = str, mode: int = 0o644
) -> Item:
    """A file of our own with this text."""
    found = text_of(path)
    unread = problem() if found == text else ""

    def write() -> None:
        write_whole(path, text, mode)
        then()
        left = problem()
        if left:
            raise StepError(f"{path} is written, but {left}")

    state = "as declared" if found == text else "differs" if found else "absent"
    return Item(name, found == text and not unread, f"{path} {unread or state}", write)


def write_whole(path: str, text: str, mode: int = 0o644) -> None:
    """A file in a folder that may not be there yet."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    write_safely(path, text, mode)
