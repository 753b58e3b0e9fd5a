"""`./run test`: the tests that need nothing but Python; `./run test tests` for all, including those on real parts."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from fluxstead.cli import REPOSITORY

_ALL = ("--ignore=tests/e2e", "-m", "not machine and not flux", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
"""On all cores; each file on one, since some files' tests share what took long to make. In the files' order: by their number of
tests, a file of one long test would come last, with all other cores idle."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own: they are pytest's."""
    parser.usage = "./run test [PYTEST ARGUMENT …]"


def run(options: argparse.Namespace) -> NoReturn:
    """Become pytest, so that whoever ends this run ends the tests, and the machines that they started."""
    os.chdir(REPOSITORY)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *selection(options.rest)])  # noqa: S606 -- pytest


def selection(arguments: list[str]) -> list[str]:
    """pytest's arguments: without a path or a marker, only what needs nothing but Python."""
    asked = any(one == "-m" or (REPOSITORY / one.partition("::")[0]).exists() for one in arguments)
    return arguments if asked else [*_ALL, *arguments]
