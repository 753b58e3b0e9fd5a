"""What the procedures share that change the description: where a change goes, and what is said of a file that is left alone."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from fluxstead.assembly import Assembled
from fluxstead.cli import procedures
from fluxstead.cli.describing import Describing
from fluxstead.cli.project import choose_stack, print_findings
from fluxstead.core.findings import errors
from fluxstead.description.edit import NotEdited
from fluxstead.embedded import run_program
from fluxstead.live.api import LiveApi
from fluxstead.live.changes import GitWay, Whereto
from fluxstead.live.clock import Clock
from fluxstead.live.clone import Clone
from fluxstead.live.procedure import Procedure, Stopped

Made = Callable[[Assembled], Callable[[GitWay], Procedure]]
"""Looks at the description, exiting where what was asked for is not in it, and gives what makes the procedure."""


def carry_out(options: argparse.Namespace, words: str, made: Made) -> int:
    """Carry it out, and give the exit status. `words`: as it is typed after `./run`."""
    root, stack = choose_stack(options)
    read = run_program(root, stack)
    if read.assembled is None or errors(read.findings):
        print_findings(errors(read.findings), "text")
        return 1
    description = read.assembled.description
    procedure = made(read.assembled)
    place = Whereto(Clone(root), Describing(root, stack, read.assembled), description.cluster.flux.branch, words)

    def by(api: LiveApi) -> Procedure:
        return procedure(GitWay(place, api, Clock(), fetches=not options.plan))

    return procedures.carry_out(options, description, by)


def edited(edit: Callable[[str], str], what: str, text: str) -> str:
    """A file's text with a change. Raises Stopped where `what` is written in a way that people have to change themselves."""
    try:
        return edit(text)
    except NotEdited as problem:
        raise Stopped(
            f"{what} is written in a way that is not changed here",
            f"{problem}; ./run render; git add, git commit and git push; then the same command",
        ) from None
