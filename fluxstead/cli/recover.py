"""`./run recover`: cures for what the doctor finds in a running cluster, each a procedure of the system that it cures."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from importlib import import_module

from fluxstead.cli import procedures
from fluxstead.cli.project import choose_nodes, choose_stack, described
from fluxstead.live.api import LiveApi
from fluxstead.live.procedure import Procedure
from fluxstead.roster import SYSTEMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=tuple(_cures()), help="manager: start Longhorn's manager of a machine anew")
    parser.add_argument("name", metavar="NODE", help="which machine")
    procedures.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Carry it out, and give the exit status."""
    description = described(*choose_stack(options))
    if description is None:
        return 1
    [node] = choose_nodes(description.nodes, [options.name])
    cure = _cures()[options.what]

    def procedure(api: LiveApi) -> Procedure:
        return cure(api, node.name)

    return procedures.carry_out(options, description, procedure)


def _cures() -> Mapping[str, Callable[[LiveApi, str], Procedure]]:
    return {word: cure for system in SYSTEMS if system.cures for word, cure in import_module(system.cures).CURES.items()}
