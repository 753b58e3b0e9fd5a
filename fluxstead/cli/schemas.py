"""`./run schemas`: the JSON schemas of the description's files."""

from __future__ import annotations

import argparse
from pathlib import Path

from fluxstead.cli import REPOSITORY
from fluxstead.description.json_schema import schema_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a schema is not what the models say")


def run(options: argparse.Namespace) -> int:
    """Write or compare, and give the exit status."""
    stale = {path: text for path, text in schema_files().items() if not _is(REPOSITORY / path, text)}
    for path, text in stale.items():
        if not options.check:
            (REPOSITORY / path).parent.mkdir(exist_ok=True)
            (REPOSITORY / path).write_text(text, encoding="utf-8")
        print(f"{'stale' if options.check else 'wrote'} {path}")
    if not stale:
        print("the schemas are up to date")
    return int(options.check and bool(stale))


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
