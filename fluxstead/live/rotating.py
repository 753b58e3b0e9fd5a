"""What is exchanged for another of its kind by a procedure, and where the description says which one it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fluxstead.live.api import LiveApi
    from fluxstead.live.procedure import Procedure, Step


class Rotates(NamedTuple):
    """`words`: the procedure, as it is typed after `./run`. `name`: the new one. `described`: by which it is described."""

    api: LiveApi
    words: str
    name: str
    described: Sequence[Step]


class Rotation(NamedTuple):
    """`section`, `key`: where the stack file names the one that is used. `why`: in one clause."""

    section: str
    key: str
    why: str
    procedure: Callable[[Rotates], Procedure]
