"""The two passes of the program, around the systems that `__main__.py` names.

Pulumi is only imported when its engine runs the program: pass one, which is all that `./run` needs, starts in half the time
without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from fluxstead import embedded
from fluxstead.assembly import assemble
from fluxstead.core.findings import Finding
from fluxstead.core.platform import Platform
from fluxstead.description.cluster import Cluster
from fluxstead.description.load import load
from fluxstead.nodes.model import Node
from fluxstead.system import System
from fluxstead.tree.layer import Plan


class Program:
    """Reads the description, collects the systems' plans, and carries them out: checked tree, resources, files."""

    def __init__(self) -> None:
        self._root, stack = _project()
        loaded = load(self._root, stack)
        if loaded.description is None:
            _stop(loaded.findings)
        self._description = loaded.description
        self._plans: dict[str, Plan] = {}

    @property
    def cluster(self) -> Cluster:
        """The settings of the stack file."""
        return self._description.cluster

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The machines, by name."""
        return self._description.nodes

    @property
    def platform(self) -> Platform:
        """What every system has to know about the cluster."""
        return self.cluster.platform(self._description.name)

    def add(self, system: System, plan: Plan) -> None:
        """Take a system into the tree; under Pulumi, it becomes a component with a child for each of its layers."""
        self._plans[system.name] = plan

    def run(self) -> None:
        """Resolve, order and check; then hand over the tree, or register and write it under Pulumi."""
        assembled = assemble(self._description, self._plans, self._root)
        run = embedded.current.get()
        if run:
            run.assembled = assembled
        else:
            from components import engine  # noqa: PLC0415 -- imports Pulumi

            engine.carry_out(self._root, assembled)


def _project() -> tuple[Path, str]:
    run = embedded.current.get()
    if run:
        return run.root, run.stack
    from components import engine  # noqa: PLC0415 -- imports Pulumi

    return engine.project()


def _stop(findings: list[Finding]) -> NoReturn:
    if embedded.current.get():
        raise embedded.StoppedByFindings(tuple(findings))
    from components import engine  # noqa: PLC0415 -- imports Pulumi

    engine.stop(findings)
