"""`./run disk`: a disk leaves its machine, by the system that stores on it, through the description and Git."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

from fluxstead.assembly import Assembled
from fluxstead.cli import changing, procedures
from fluxstead.cli.project import choose_nodes
from fluxstead.description.edit_list import ListItem, item_in, with_key, without
from fluxstead.live.changes import Amendment, FileChange, GitWay
from fluxstead.live.committed import committed
from fluxstead.live.leaving import DiskLeaves
from fluxstead.live.procedure import Procedure
from fluxstead.roster import SYSTEMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=tuple(_procedures()), help="leave: what is on it goes elsewhere, and then it is forgotten")
    parser.add_argument("name", metavar="NODE", help="which machine")
    parser.add_argument("disk", metavar="DISK", help="which of its disks, by its name in the machine's file")
    procedures.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Carry it out, and give the exit status."""
    words = f"disk {options.what} {options.name} {options.disk}"
    return changing.carry_out(options, words, partial(_made, options))


def _made(options: argparse.Namespace, assembled: Assembled) -> Callable[[GitWay], Procedure]:
    [node] = choose_nodes(assembled.description.nodes, [options.name])
    described = any(disk.name == options.disk for disk in node.disks)

    def procedure(git: GitWay) -> Procedure:
        steps = [committed(git, change) for change in (emptied(node.name, options.disk), removed(node.name, options.disk))]
        leaves = DiskLeaves(git.api, git.place.words, node.name, options.disk, described, *steps)
        return _procedures()[options.what](leaves)

    return procedure


def emptied(machine: str, disk: str) -> Amendment:
    """The description says that the disk is to be emptied. One that it does not have any more is further than that."""
    item = ListItem("disks", disk)
    return Amendment(
        f"{disk} of {machine} is described with evict: true",
        "Flux writes what the description says, so whatever else is changed by hand does not last",
        "evict: true out again, a commit, git push; then --abandon with what is typed next",
        f"{machine}: empty disk {disk}\n\nIt is to leave: what is on it has to be elsewhere before it is taken out (F28).",
        {_file(machine): FileChange(partial(_edited, item, _with_evict), partial(_is_emptied, item))},
    )


def removed(machine: str, disk: str) -> Amendment:
    """The description has the disk no more."""
    item = ListItem("disks", disk)
    return Amendment(
        f"{disk} of {machine} is described no more",
        "Flux takes out of the cluster what the description does not have",
        "git revert of that commit, git push: the disk comes back, empty",
        f"{machine}: take out disk {disk}\n\nNothing is on it any more, and every volume has its copies elsewhere.",
        {_file(machine): FileChange(partial(_edited, item, without), lambda text: item_in(text, item) is None)},
    )


def _file(machine: str) -> str:
    return f"nodes/{machine}.yaml"


def _with_evict(text: str, item: ListItem) -> str:
    return with_key(text, item, "evict", "true")


def _is_emptied(item: ListItem, text: str) -> bool:
    found = item_in(text, item)
    return found is None or found.get("evict") is True


def _edited(item: ListItem, edit: Callable[[str, ListItem], str], text: str) -> str:
    return changing.edited(lambda now: edit(now, item), "the machine's file", text)


def _procedures() -> Mapping[str, Callable[[DiskLeaves], Procedure]]:
    return {word: one for system in SYSTEMS if system.disks for word, one in import_module(system.disks).DISKS.items()}
