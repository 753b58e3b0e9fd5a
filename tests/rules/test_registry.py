"""The registry names every check there is, and the page says what the registry says."""

from __future__ import annotations

import ast
from pathlib import Path

from fluxstead.cli.check import listing
from fluxstead.core.findings import Severity
from fluxstead.roster import CHECKS

REPOSITORY = Path(__file__).parents[2]


def ids_in_the_code() -> dict[str, set[str]]:
    """Every finding's id and the severities that it is made with, by walking the code."""
    found: dict[str, set[str]] = {}
    for path in (REPOSITORY / "fluxstead").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"error", "warning"}:
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path.name}:{node.lineno}: an id has to be a literal"
                found.setdefault(str(first.value), set()).add(node.func.id)
    return found


def test_every_id_in_the_code_is_registered_with_its_severity() -> None:
    """A check that is not in the list is one that nobody can look up, accept or test."""
    found = ids_in_the_code()
    assert len(found) > 80
    registered = {check.id: {str(check.severity)} for check in CHECKS}
    assert registered == found


def test_ids_stand_once() -> None:
    """Two rules of one id could not be told apart."""
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_the_page_is_current() -> None:
    """`./run check --list` and docs/checks.md are one table."""
    page = (REPOSITORY / "docs/checks.md").read_text()
    assert page.endswith(listing() + "\n"), "write docs/checks.md anew from `./run check --list`"


def test_errors_and_warnings_both_exist() -> None:
    """The list is not of one kind by mistake."""
    assert {check.severity for check in CHECKS} == set(Severity)
