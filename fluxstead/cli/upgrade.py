"""`./run upgrade`: the next version of what lies beneath the tree."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec

_PARTS = {"kubernetes": "k3s: --lock writes its digests into the description", "flux": "Flux's own manifests in Git"}
"""What can be upgraded; each in a module of its own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parts = parser.add_subparsers(dest="part", metavar="WHAT", required=True)
    for part, purpose in _PARTS.items():
        if find_spec(_module(part)):
            import_module(_module(part)).add_arguments(
                parts.add_parser(part, help=purpose, description=purpose, allow_abbrev=False)
            )


def run(options: argparse.Namespace) -> int:
    """Do it, and give the exit status."""
    status: int = import_module(_module(options.part)).run(options)
    return status


def _module(part: str) -> str:
    return f"fluxstead.cli.upgrade_{part}"
