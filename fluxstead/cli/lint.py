"""`./run lint`: style, types, import directions and shell scripts: always all of them."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from fluxstead.cli import REPOSITORY

_BIN = Path(sys.executable).parent
_CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "."),
    ("lint-imports", "--no-logo", "--config", "imports.toml"),
    ("shellcheck", "run", ".ci/run", ".ci/once", "fluxstead/hosts/prelude.sh", "tests/real/run", "tests/real/machines"),
    ("shellcheck", *(str(script.relative_to(REPOSITORY)) for script in sorted(REPOSITORY.glob("fluxstead/live/verify/*.sh")))),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""
    del parser


def run(options: argparse.Namespace) -> int:
    """Run every check, and give 1 if one of them fails."""
    del options
    failed = False
    for program, *arguments in _CHECKS:
        print(f"== {program} {' '.join(arguments)}", flush=True)
        failed |= subprocess.run([_BIN / program, *arguments], cwd=REPOSITORY, check=False).returncode != 0  # noqa: S603 -- ours
    return int(failed)
