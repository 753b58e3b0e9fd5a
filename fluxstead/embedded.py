"""Running `__main__.py` without the Pulumi CLI: the same program, stopped before its resources.

Generating the tree needs no engine, no state and no network, so `./run render` runs pass one of the program in-process
and takes the tree from it.
"""

from __future__ import annotations

import gc
import runpy
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from fluxstead.assembly import Assembled
from fluxstead.core.findings import Finding

PROGRAM = Path(__file__).parents[1] / "__main__.py"


@dataclass(slots=True)
class Run:
    """One embedded run: the project and the stack it is for, and what the program delivered."""

    root: Path
    stack: str
    assembled: Assembled | None = None
    findings: tuple[Finding, ...] = ()


class StoppedByFindings(Exception):  # noqa: N818 -- not an error of the program
    """The description cannot be used; the findings say why."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


current: ContextVar[Run | None] = ContextVar("current", default=None)
"""The embedded run that the program is part of; None under Pulumi."""


def run_program(root: Path, stack: str) -> Run:
    """Run the program for one stack. Findings come back in the run, whether or not there is a tree."""
    run = Run(root, stack)
    token = current.set(run)
    collecting = gc.isenabled()
    # Everything built here lives until the end; scanning it again and again made a large tree cost a third more.
    gc.disable()
    try:
        runpy.run_path(str(PROGRAM), run_name="__main__")
    except StoppedByFindings as stopped:
        run.findings = stopped.findings
    finally:
        current.reset(token)
        if collecting:
            gc.enable()
    if run.assembled is not None:
        run.findings = run.assembled.findings
    return run
