"""The registry names every check there is, and the page says what the registry says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from fluxstead.cli.check import listing
from fluxstead.core.findings import Severity
from fluxstead.roster import all_checks

REPOSITORY = Path(__file__).parents[2]


def declared() -> dict[str, str]:
    """The checks that the code declares, by id, and in which file; each with a literal id, and used where it stands."""
    found: dict[str, str] = {}
    for path in (REPOSITORY / "fluxstead").rglob("*.py"):
        text = path.read_text()
        for node in ast.parse(text).body:
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            call, [name] = node.value, node.targets
            if isinstance(call.func, ast.Name) and call.func.id in {"refuses", "warns"}:
                first = call.args[0]
                assert isinstance(name, ast.Name)
                assert isinstance(first, ast.Constant), f"{path.name}:{node.lineno}: an id has to be a literal"
                assert re.search(rf"\b{name.id}\((?!\")", text), f"{path.name}: nothing makes a finding of {name.id}"
                assert first.value not in found, first.value
                found[str(first.value)] = path.name
    return found


def test_every_check_of_the_code_is_registered() -> None:
    """A check that is not in the list is one that nobody can look up, accept or test."""
    found = declared()
    assert len(found) > 80
    assert {check.id for check in all_checks()} == found.keys()


def test_a_finding_is_made_by_its_check() -> None:
    """Id and severity stand where the check is declared, and nowhere else."""
    makers = re.compile(r"(?<!class )\bFinding\(")
    files = {path.name for path in (REPOSITORY / "fluxstead").rglob("*.py") if makers.search(path.read_text())}
    assert files == {"check.py"}


def test_ids_stand_once() -> None:
    """Two rules of one id could not be told apart."""
    assert len({check.id for check in all_checks()}) == len(all_checks())


def test_the_page_is_current() -> None:
    """`./run check --list` and docs/checks.md are one table."""
    page = (REPOSITORY / "docs/checks.md").read_text()
    assert page.endswith(listing() + "\n"), "write docs/checks.md anew from `./run check --list`"


def test_errors_and_warnings_both_exist() -> None:
    """The list is not of one kind by mistake."""
    assert {check.severity for check in all_checks()} == set(Severity)
