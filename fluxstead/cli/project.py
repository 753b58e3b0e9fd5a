"""What the commands that read a description share: which project and stack, running the program, printing findings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from fluxstead.cli.formats import formatted
from fluxstead.core.findings import Finding, errors, gathered
from fluxstead.description.load import stacks_in
from fluxstead.embedded import Run, run_program


def add_project_arguments(parser: argparse.ArgumentParser, formats: Sequence[str] = ("text", "json")) -> None:
    """`--project`, `--stack` and `--format`."""
    parser.add_argument("--project", type=Path, default=Path(), metavar="DIR", help="the folder with Pulumi.<stack>.yaml (here)")
    parser.add_argument("--stack", metavar="NAME", help="which stack, where the folder has several")
    parser.add_argument("--format", choices=formats, default="text", help="how to print")


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
    """Print them: text to standard error, other formats to standard output. Returns whether any is an error."""
    found = gathered(findings)
    text = formatted(found, how)
    if text:
        print(printable(text), file=sys.stderr if how == "text" else sys.stdout)
    return bool(errors(found))


def printable(text: str) -> str:
    """Replaces bytes that are not text, as somebody may have left in a file or its name, with question marks."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def tell(line: str) -> None:
    """Say something beside the answer: progress, and what was not done."""
    print(f"fluxstead: {line}", file=sys.stderr, flush=True)
