"""What CI keeps by content depends on all that it is about."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CI = (REPOSITORY / ".ci/run").read_text()
SUITES = [word.split()[0] for word in re.findall(r'"(\w+ \d+)"', CI)]
KEPT = re.findall(r"^paths=\((.*)\)$", (REPOSITORY / ".ci/once").read_text(), re.MULTILINE)[0].split()


def said(suite: str, variable: str) -> list[str]:
    """A list that `.ci/run` makes for a suite."""
    functions = CI[CI.index("script=(") : CI.index("\n}\n", CI.index("of() {")) + 3]
    shown = f"{functions}\nof {suite}; printf '%s\\n' \"${{{variable}[@]}}\""
    return subprocess.run(["bash", "-euc", shown], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout.split()


def imported(path: Path) -> set[Path]:
    """The files of this project that a file imports."""
    names = set()
    package = list(path.relative_to(REPOSITORY).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*above, *([node.module] if node.module else [])])
            names |= {name, *(f"{name}.{one.name}" for one in node.names)}
        elif isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
    files = {REPOSITORY / f"{name.replace('.', '/')}{end}" for name in names for end in (".py", "/__init__.py")}
    return {file for file in files if file.is_file() and file.name != "__init__.py"}


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_runs_again_when_anything_changes_that_its_tests_import(suite: str) -> None:
    depends = [REPOSITORY / path for path in (*said(suite, "on"), *said(suite, "tests"), *KEPT) if (REPOSITORY / path).exists()]
    waiting = {file for path in said(suite, "tests") for file in files_at(REPOSITORY / path)}
    assert waiting
    reached: set[Path] = set()
    while waiting:
        file = waiting.pop()
        reached.add(file)
        waiting |= imported(file) - reached
    assert not sorted(str(file) for file in reached if not any(file.is_relative_to(path) for path in depends))


def files_at(path: Path) -> list[Path]:
    """A test file, or those of a folder."""
    return sorted(path.rglob("test_*.py")) if path.is_dir() else [path] if path.suffix == ".py" else []
