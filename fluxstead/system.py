"""What one system declares about itself: everything to be known about it outside its own slice."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from fluxstead.catalog.chart import Chart
from fluxstead.checks.context import CheckContext
from fluxstead.checks.past import Transition
from fluxstead.checks.rule import Rule
from fluxstead.checks.system_facts import RouteKind, Storage
from fluxstead.core.check import Check


class System(NamedTuple):
    """One system. `name` is its slice's, its component's and the one in `__main__.py`.

    `key`: its key in the stack file; None where it has none. `does`: what it is for, as the documentation says it. `charts`: those
    that it installs, and those that it knows about. `copies`: annotations by which a second Ingress may answer for the same path.
    `asking`: by ingress class, the annotations that put something in front that asks who it is. `planned`: the checks that its
    `plan` makes on the description. `live`: the module with its rules about a running cluster, which only the doctor
    imports. `verify`: the module with what `./run verify --deep` tries of it (`live.verify.whole.Deeper`). `cures`: the module
    with its procedures for `./run recover`, as `CURES`; `disks`: the one with those for `./run disk`, as `DISKS`. `backups`: the
    module for `./run backup` (`live.kept.Restoring`); `rotations`: the one with those for `./run rotate`, as `ROTATIONS`. `rules`:
    over trees; `moves`: over what a commit changes.
    """

    name: str
    key: str | None
    does: str
    charts: tuple[Chart, ...] = ()
    storage: Storage | None = None
    routes: tuple[RouteKind, ...] = ()
    copies: frozenset[str] = frozenset()
    asking: Mapping[str, frozenset[str]] = MappingProxyType({})
    planned: tuple[Check, ...] = ()
    live: str = ""
    verify: str = ""
    cures: str = ""
    disks: str = ""
    backups: str = ""
    rotations: str = ""
    rules: tuple[Rule[CheckContext], ...] = ()
    moves: tuple[Rule[Transition], ...] = ()
