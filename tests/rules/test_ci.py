"""What CI keeps by content depends on all that it is about."""

from __future__ import annotations

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def imported(path: Path) -> set[Path]:
    """The files of fluxstead that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    files = {REPOSITORY / f"{name.replace('.', '/')}.py" for name in names if name.startswith("fluxstead.")}
    return {file for file in files if file.is_file()}


def test_suites_on_machines_run_again_when_anything_changes_that_hosts_are_made_of() -> None:
    """`.ci/run` names folders, and the files of `core` beside them."""
    [listed] = re.findall(r"^core=\(fluxstead/core/\{(.*)\}\.py\)$", (REPOSITORY / ".ci/run").read_text(), re.MULTILINE)
    waiting = {file for folder in ("hosts", "nodes") for file in (REPOSITORY / "fluxstead" / folder).rglob("*.py")}
    reached: set[Path] = set()
    while waiting:
        file = waiting.pop()
        reached.add(file)
        waiting |= imported(file) - reached
    beside = {
        file.relative_to(REPOSITORY / "fluxstead") for file in reached if file.parent.name not in {"hosts", "nodes", "script"}
    }
    assert beside == {Path(f"core/{name}.py") for name in listed.split(",")}
