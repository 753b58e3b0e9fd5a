"""`./run rotate`: something is exchanged for another of its kind, through the description and Git, without a gap."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

from fluxstead.assembly import Assembled
from fluxstead.cli import changing, procedures
from fluxstead.description.edit import value_at, with_values
from fluxstead.live.changes import Amendment, FileChange, GitWay
from fluxstead.live.committed import committed
from fluxstead.live.procedure import Procedure
from fluxstead.live.rotating import Rotates, Rotation
from fluxstead.roster import SYSTEMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=tuple(_rotations()), help="backup-target: where all volumes are backed up to from here on")
    parser.add_argument("name", metavar="NAME", help="the new one, as the description calls it")
    procedures.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Carry it out, and give the exit status."""
    return changing.carry_out(options, f"rotate {options.what} {options.name}", partial(_made, options))


def _made(options: argparse.Namespace, assembled: Assembled) -> Callable[[GitWay], Procedure]:
    rotation = _rotations()[options.what]
    change = described(rotation, options.what, options.name, assembled.description.stack_file)

    def procedure(git: GitWay) -> Procedure:
        return rotation.procedure(Rotates(git.api, git.place.words, options.name, committed(git, change)))

    return procedure


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
    return changing.edited(lambda now: with_values(now, rotation.section, {rotation.key: name}), "the stack file", text)


def _rotations() -> Mapping[str, Rotation]:
    return {word: one for system in SYSTEMS if system.rotations for word, one in import_module(system.rotations).ROTATIONS.items()}
