"""What applications declare about themselves."""

from __future__ import annotations

from itertools import chain

from fluxstead.system import System
from fluxstead.systems.applications import checks, declared, forms, inside, mounting, moves, peers, rights, running, way_in

APPLICATIONS = System(
    name="applications",
    key="apps",
    does="the applications, a layer for each environment",
    planned=tuple(
        chain.from_iterable(part.CHECKS for part in (checks, declared, forms, inside, mounting, peers, rights, running, way_in))
    ),
    moves=moves.MOVES,
)
