"""`./run upgrade`: the next version of what lies beneath the tree."""

from __future__ import annotations

import argparse
from importlib import import_module

_COMMANDS = {
    "kubernetes": "k3s: --lock writes the digests of the described version into the description",
    "flux": "write clusters/<cluster>/flux-system for the described version of Flux",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each thing that has versions."""
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, purpose in _COMMANDS.items():
        import_module(f"fluxstead.cli.upgrade_{name}").add_arguments(commands.add_parser(name, help=purpose, description=purpose))


def run(options: argparse.Namespace) -> int:
    """Run the subcommand, and give its exit status."""
    status: int = import_module(f"fluxstead.cli.upgrade_{options.what}").run(options)
    return status
