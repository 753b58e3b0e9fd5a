"""A disk that is to leave its machine, as whoever stores volumes on it is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from fluxstead.live.procedure import Step, Stopped

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi


class DiskLeaves(NamedTuple):
    """`words`: the procedure, as it is typed after `./run`. `described`: whether the description still has the disk.

    `emptied`, `removed`: the steps by which the description says that it is to be emptied, and that it is there no more.
    """

    api: LiveApi
    words: str
    machine: str
    disk: str
    described: bool
    emptied: Sequence[Step]
    removed: Sequence[Step]


def refuse_at_once(steps: Sequence[Step]) -> None:
    """Raise Stopped where the first step that acts, or one before it, cannot be: nothing has begun then, and nothing is kept."""
    for step in steps:
        now = step.standing()
        if now.state == "fails":
            raise Stopped(f"{step.name}: no: {now.says}", now.do)
        if step.act or now.state != "done":
            return
