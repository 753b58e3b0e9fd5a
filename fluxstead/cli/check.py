"""`./run check`: findings only."""

from __future__ import annotations

import argparse

from fluxstead.cli.project import add_project_arguments, print_findings, run_project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_project_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Check, and give the exit status."""
    result = run_project(options)
    failed = print_findings(result.findings, options.format)
    if options.format == "text" and not failed:
        print("no errors")
    return int(failed)
