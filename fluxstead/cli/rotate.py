"""`./run rotate`: something is exchanged for another of its kind, through the description and Git, without a gap."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path

from fluxstead.assembly import Assembled
from fluxstead.cli import procedures
from fluxstead.cli.describing import Describing
from fluxstead.cli.project import choose_stack, print_findings
from fluxstead.core.findings import errors
from fluxstead.description.edit import NotEdited, value_at, with_values
from fluxstead.embedded import run_program
from fluxstead.live.api import LiveApi
from fluxstead.live.changes import Amendment, FileChange, GitWay, Whereto
from fluxstead.live.clock import Clock
from fluxstead.live.clone import Clone
from fluxstead.live.committed import committed
from fluxstead.live.procedure import Procedure, Stopped
from fluxstead.live.rotating import Rotates, Rotation
from fluxstead.roster import SYSTEMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=tuple(_rotations()), help="backup-target: where all volumes are backed up to from here on")
    parser.add_argument("name", metavar="NAME", help="the new one, as the description calls it")
    procedures.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Carry it out, and give the exit status."""
    root, stack = choose_stack(options)
    read = run_program(root, stack)
    if read.assembled is None or errors(read.findings):
        print_findings(errors(read.findings), "text")
        return 1
    return procedures.carry_out(options, read.assembled.description, partial(_procedure, options, root, stack, read.assembled))


def _procedure(options: argparse.Namespace, root: Path, stack: str, assembled: Assembled, api: LiveApi) -> Procedure:
    words = f"rotate {options.what} {options.name}"
    place = Whereto(Clone(root), Describing(root, stack, assembled), assembled.description.cluster.flux.branch, words)
    git = GitWay(place, api, Clock(), fetches=not options.plan)
    rotation = _rotations()[options.what]
    change = described(rotation, options.what, options.name, assembled.description.stack_file)
    return rotation.procedure(Rotates(api, words, options.name, committed(git, change)))


def described(rotation: Rotation, what: str, name: str, stack_file: str) -> Amendment:
    """The description names the new one."""
    return Amendment(
        f"{rotation.key}: {name} is described",
        rotation.why,
        "git revert of that commit, git push; then --abandon with what is typed next",
        f"Rotate {what}: {name}\n\nFrom here on {rotation.key} is {name}.",
        {stack_file: FileChange(partial(_edited, rotation, name), partial(_is_so, rotation, name))},
    )


def _is_so(rotation: Rotation, name: str, text: str) -> bool:
    return value_at(text, rotation.section, rotation.key) == name


def _edited(rotation: Rotation, name: str, text: str) -> str:
    try:
        return with_values(text, rotation.section, {rotation.key: name})
    except NotEdited as problem:
        raise Stopped(
            "the stack file is written in a way that is not changed here",
            f"{problem}; ./run render; git add, git commit and git push; then the same command",
        ) from None


def _rotations() -> Mapping[str, Rotation]:
    return {word: one for system in SYSTEMS if system.rotations for word, one in import_module(system.rotations).ROTATIONS.items()}
