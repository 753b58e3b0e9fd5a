"""`./run disk`: a disk leaves its machine, by the system that stores on it, through the description and Git."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path

from fluxstead.assembly import Assembled
from fluxstead.cli import procedures
from fluxstead.cli.describing import Describing
from fluxstead.cli.project import choose_nodes, choose_stack, print_findings
from fluxstead.core.findings import errors
from fluxstead.description.edit import NotEdited
from fluxstead.description.edit_list import ListItem, item_in, with_key, without
from fluxstead.embedded import run_program
from fluxstead.live.api import LiveApi
from fluxstead.live.changes import Amendment, FileChange, GitWay, Whereto
from fluxstead.live.clock import Clock
from fluxstead.live.clone import Clone
from fluxstead.live.committed import committed
from fluxstead.live.leaving import DiskLeaves
from fluxstead.live.procedure import Procedure, Stopped
from fluxstead.nodes.model import Node
from fluxstead.roster import SYSTEMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=tuple(_procedures()), help="leave: what is on it goes elsewhere, and then it is forgotten")
    parser.add_argument("name", metavar="NODE", help="which machine")
    parser.add_argument("disk", metavar="DISK", help="which of its disks, by its name in the machine's file")
    procedures.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Carry it out, and give the exit status."""
    root, stack = choose_stack(options)
    read = run_program(root, stack)
    if read.assembled is None or errors(read.findings):
        print_findings(errors(read.findings), "text")
        return 1
    [node] = choose_nodes(read.assembled.description.nodes, [options.name])
    words = f"disk {options.what} {node.name} {options.disk}"
    place = _place(root, stack, read.assembled, words)
    return procedures.carry_out(options, read.assembled.description, partial(_procedure, options, place, node))


def _place(root: Path, stack: str, assembled: Assembled, words: str) -> Whereto:
    return Whereto(Clone(root), Describing(root, stack, assembled), assembled.description.cluster.flux.branch, words)


def _procedure(options: argparse.Namespace, place: Whereto, node: Node, api: LiveApi) -> Procedure:
    git = GitWay(place, api, Clock(), fetches=not options.plan)
    described = any(disk.name == options.disk for disk in node.disks)
    steps = [committed(git, change) for change in (emptied(node.name, options.disk), removed(node.name, options.disk))]
    return _procedures()[options.what](DiskLeaves(api, place.words, node.name, options.disk, described, *steps))


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
    try:
        return edit(text, item)
    except NotEdited as problem:
        raise Stopped(
            "the machine's file is written in a way that is not changed here",
            f"{problem}; ./run render; git add, git commit and git push; then the same command",
        ) from None


def _procedures() -> Mapping[str, Callable[[DiskLeaves], Procedure]]:
    return {word: one for system in SYSTEMS if system.disks for word, one in import_module(system.disks).DISKS.items()}
