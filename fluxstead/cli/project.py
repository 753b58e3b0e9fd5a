"""What the commands that read a description share: which project, stack and machines, running the program, printing findings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from fluxstead.cli import REPOSITORY
from fluxstead.cli.formats import coloured, formatted
from fluxstead.core.findings import Finding, Severity, counted, errors, gathered, shortened
from fluxstead.description.load import Description, load, stacks_in
from fluxstead.embedded import Run, run_program
from fluxstead.nodes.model import Node
from fluxstead.roster import all_checks

EVERY = "all"
"""Stands for every check."""


def add_project_arguments(parser: argparse.ArgumentParser, formats: Sequence[str] = ("text", "json")) -> None:
    """`--project`, `--stack`, `--quiet` and `--format`."""
    add_stack_arguments(parser)
    parser.add_argument(
        "--quiet",
        action="append",
        default=[],
        metavar="CHECK",
        help="leave out the warnings of this check, or of all checks",
    )
    parser.add_argument("--format", choices=formats, default="text", help="how to print")


def add_stack_arguments(parser: argparse.ArgumentParser, *, inherit: bool = False) -> None:
    """`--project` and `--stack`. `inherit`: of a word, before which they may stand as well."""
    default = argparse.SUPPRESS if inherit else None
    nearest = "the folder with Pulumi.<stack>.yaml (this one or the nearest above, else fluxstead's own)"
    parser.add_argument("--project", type=Path, metavar="DIR", default=default, help=nearest)
    parser.add_argument("--stack", metavar="NAME", default=default, help="which stack, where the folder has several")


def run_project(options: argparse.Namespace) -> Run:
    """Run the program for the project and stack that the arguments name."""
    return run_program(*choose_stack(options))


def choose_stack(options: argparse.Namespace) -> tuple[Path, str]:
    """The project's folder and the stack that the arguments name. Exits with 2 where they name none."""
    root: Path = options.project or _nearest_project()
    if not root.is_dir():
        print(f"fluxstead: there is no folder {root}", file=sys.stderr)
        sys.exit(2)
    known = stacks_in(root)
    stack = options.stack or (known[0] if len(known) == 1 else None)
    if stack is None:
        here = f"there are several stacks: {', '.join(known)}" if known else f"no Pulumi.<stack>.yaml in {root.resolve()}"
        print(f"fluxstead: {here}; say --stack NAME or --project DIR", file=sys.stderr)
        sys.exit(2)
    return root, stack


def described(root: Path, stack: str) -> Description | None:
    """What the files of a stack say; None where it has errors, which are printed with the rest."""
    loaded = load(root, stack)
    if errors(loaded.findings):
        print_findings(loaded.findings, "text")
        return None
    return loaded.description


def choose_nodes(described: Sequence[Node], names: Sequence[str]) -> list[Node]:
    """The machines of these names; without any, all live ones. Exits with 2 where one of them does not exist."""
    known = {node.name: node for node in described}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"fluxstead: no node is called {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        sys.exit(2)
    return [known[name] for name in dict.fromkeys(names)] or [node for node in described if node.state == "live"]


def _nearest_project() -> Path:
    """As a path from here, so that what is printed is short."""
    here = Path.cwd()
    if stacks_in(here):
        return Path()
    return next((folder for folder in here.parents if stacks_in(folder)), REPOSITORY)


def print_findings(findings: Iterable[Finding], how: str, quiet: Sequence[str] = ()) -> bool:
    """Print them: text to standard error, other formats to standard output. Returns whether any is an error.

    `quiet`: checks whose warnings are left out.
    """
    shown = heard(findings, quiet)
    text = formatted(shortened(gathered(shown)) if how == "text" else shown, how)
    if text:
        on_terminal = how == "text" and sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        print(coloured(printable(text)) if on_terminal else printable(text), file=sys.stderr if how == "text" else sys.stdout)
    return bool(errors(shown))


def heard(findings: Iterable[Finding], quiet: Sequence[str]) -> list[Finding]:
    """Without the warnings of these checks, which are counted. Exits with 2 where one of the checks does not exist."""
    found = list(findings)
    unknown = set(quiet) - {EVERY, *(check.id for check in all_checks())} if quiet else ()
    if unknown:
        print(f"fluxstead: no check is called {', '.join(sorted(unknown))}; ./run check --list names them", file=sys.stderr)
        sys.exit(2)
    left_out = [one for one in found if one.severity is Severity.WARNING and (EVERY in quiet or one.id in quiet)]
    if left_out:
        tell(f"{counted(len(left_out), 'warning')} not shown: {', '.join(sorted({one.id for one in left_out}))}")
    return [one for one in found if one not in left_out]


def printable(text: str) -> str:
    """Replaces bytes that are not text, as somebody may have left in a file or its name, with question marks."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def tell(line: str) -> None:
    """Say something beside the answer: progress, and what was not done."""
    print(f"fluxstead: {line}", file=sys.stderr, flush=True)
