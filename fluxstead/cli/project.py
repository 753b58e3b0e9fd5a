"""What the commands that read a description share: which project and stack, running the program, printing findings."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from fluxstead.core.findings import Finding, errors, report
from fluxstead.description.load import stacks_in
from fluxstead.embedded import Run, run_program


def add_project_arguments(parser: argparse.ArgumentParser) -> None:
    """`--project`, `--stack` and `--format`."""
    parser.add_argument("--project", type=Path, default=Path(), metavar="DIR", help="the folder with Pulumi.<stack>.yaml (here)")
    parser.add_argument("--stack", metavar="NAME", help="which stack, where the folder has several")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print")


def run_project(options: argparse.Namespace) -> Run:
    """Run the program for the project and stack that the arguments name."""
    return run_program(*choose_stack(options))


def choose_stack(options: argparse.Namespace) -> tuple[Path, str]:
    """The project's folder and the stack that the arguments name. Exits with 2 where they name none."""
    root: Path = options.project
    known = stacks_in(root)
    stack = options.stack or (known[0] if len(known) == 1 else None)
    if stack is None:
        here = f"there are several stacks: {', '.join(known)}" if known else f"no Pulumi.<stack>.yaml in {root.resolve()}"
        print(f"fluxstead: {here}; say --stack NAME or --project DIR", file=sys.stderr)
        sys.exit(2)
    return root, stack


def print_findings(findings: Iterable[Finding], how: str) -> bool:
    """Print them, to standard error as text or to standard output as JSON. Gives whether there are errors among them."""
    found = sorted(findings)
    if how == "json":
        print(json.dumps([as_json(finding) for finding in found], indent=1, ensure_ascii=False))
    elif found:
        print(report(found), file=sys.stderr)
    return bool(errors(found))


def as_json(finding: Finding) -> dict[str, str | int]:
    """A finding for programs to read."""
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "file": finding.source.file,
        "line": finding.source.line,
        "what": finding.what,
        "why": finding.why,
        "write": finding.write,
    }
