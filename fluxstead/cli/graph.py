"""`./run graph`: the order."""

from __future__ import annotations

import argparse

from fluxstead.cli.project import add_project_arguments, print_findings, run_project
from fluxstead.core.findings import errors
from fluxstead.tree import picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_project_arguments(parser)
    parser.add_argument("--mermaid", action="store_true", help="a Mermaid flowchart")


def run(options: argparse.Namespace) -> int:
    """Print the order, and give the exit status."""
    result = run_project(options)
    if result.assembled is None or errors(result.findings):
        print_findings(result.findings, "text", options.quiet)
        return 1
    draw = picture.mermaid if options.mermaid else picture.text
    print(draw(result.assembled.tree.order), end="")
    return 0
