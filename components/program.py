"""The two passes of the program, around the systems that `__main__.py` names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pulumi

from components.system import SystemArgs, Wiring
from fluxstead import embedded
from fluxstead.assembly import Assembled, assemble
from fluxstead.core.findings import Finding, errors, report
from fluxstead.core.platform import Platform
from fluxstead.description.cluster import Cluster
from fluxstead.description.load import load
from fluxstead.nodes.model import Node
from fluxstead.tree.entry import missing_entry, write_entry
from fluxstead.tree.layer import Plan
from fluxstead.tree.owned import Difference, compare, write

_Plan = TypeVar("_Plan", bound=Plan)


class Program:
    """Reads the description, collects the systems' plans, and carries them out: checked tree, resources, files."""

    def __init__(self) -> None:
        self._embedded = embedded.current.get()
        self._root = self._embedded.root if self._embedded else _project_root()
        stack = self._embedded.stack if self._embedded else pulumi.get_stack()
        reading = load(self._root, stack)
        if reading.description is None:
            self._stop(tuple(reading.findings))
        self._description = reading.description
        self._plans: list[tuple[Callable[..., Any], Plan]] = []

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
        """What every system has to know of the cluster."""
        return self.cluster.platform(self._description.name)

    def add(self, component: Callable[[str, SystemArgs[_Plan]], object], plan: _Plan) -> _Plan:
        """Take a system into the tree; `component` is what it becomes in Pulumi. Returns the plan, for later systems."""
        self._plans.append((component, plan))
        return plan

    def run(self) -> None:
        """Order, check, and stop there on an error; then, under Pulumi, register everything and write the tree."""
        assembled = assemble(self._description, [plan for _, plan in self._plans])
        if self._embedded:
            self._embedded.assembled = assembled
            return
        difference = compare(self._root, assembled.tree.directory, assembled.files)
        edited = () if os.environ.get("FLUXSTEAD_OVERWRITE") else tuple(difference.findings)
        findings = (*assembled.findings, *edited)
        if errors(findings):
            self._stop(findings)
        if findings:
            pulumi.log.warn(report(findings))
        self._register(assembled)
        self._write(assembled, difference)

    def _stop(self, findings: tuple[Finding, ...]) -> NoReturn:
        if self._embedded:
            raise embedded.StoppedByFindings(findings)
        raise pulumi.RunError("nothing was dialled and nothing was written\n" + report(findings))

    def _register(self, assembled: Assembled) -> None:
        wiring = Wiring(assembled.tree)
        for component, plan in self._plans:
            component(_resource_name(component), SystemArgs(plan, wiring))

    def _write(self, assembled: Assembled, difference: Difference) -> None:
        directory, name = assembled.tree.directory, self._description.name
        changes = [f"{change.verb} {directory}/{change.path}" for change in difference.changes]
        if pulumi.runtime.is_dry_run():
            pulumi.log.info("\n".join(["`up` would", *changes]) if changes else f"{directory} is up to date")
        else:
            write(self._root, directory, difference)
            if missing_entry(self._root, name):
                write_entry(self._root, name, directory)
            pulumi.log.info("\n".join(["wrote the tree:", *changes]) if changes else f"{directory} is up to date")
        pulumi.export("tree", directory)


def _project_root() -> Path:
    """The folder of Pulumi.yaml, which `main: ../..` makes another one than the program's.

    Pulumi says it since 2025 (pulumi/pulumi#18595); an older language host is helped by FLUXSTEAD_PROJECT.
    """
    return Path(pulumi.get_root_directory() or os.environ.get("FLUXSTEAD_PROJECT") or Path.cwd())


def _resource_name(component: Callable[..., Any]) -> str:
    return component.__name__.lower()
