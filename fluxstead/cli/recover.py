"""`./run recover`: cures for what the doctor finds in a running cluster, each a procedure."""

from __future__ import annotations

import argparse

from fluxstead.cli import procedures
from fluxstead.cli.project import choose_stack, print_findings, tell
from fluxstead.core.findings import errors
from fluxstead.description.load import load
from fluxstead.live.api import LiveApi
from fluxstead.live.procedure import Procedure
from fluxstead.systems.longhorn.manager import restart


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=("manager",), help="manager: start Longhorn's manager of a machine anew")
    parser.add_argument("name", metavar="NODE", help="which machine")
    procedures.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Carry it out, and give the exit status."""
    root, stack = choose_stack(options)
    loaded = load(root, stack)
    if loaded.description is None or errors(loaded.findings):
        print_findings(loaded.findings, "text")
        return 1
    known = [node.name for node in loaded.description.nodes]
    if options.name not in known:
        tell(f"no node is called {options.name}; there are {', '.join(known)}")
        return 2

    def procedure(api: LiveApi) -> Procedure:
        return restart(api, options.name)

    return procedures.carry_out(options, loaded.description, procedure)
