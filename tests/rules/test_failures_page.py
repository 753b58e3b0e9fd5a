"""What findings and pages refer to by number is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
NUMBERS = [*(f"F{number}" for number in range(1, 29)), *(f"U{number}" for number in range(1, 13))]
REFERENCE = re.compile(r"\b([FU]\d{1,2})\b(?=[,)]| to [FU]\d)")

FILES = [path for folder in ("failures", "e2e/failures") for path in (REPOSITORY / "tests" / folder).glob("test_*.py")]


def beginning(number: str) -> str:
    """How the name of its file begins."""
    return f"test_{number[0].lower()}{int(number[1:]):02}_"


def rows() -> dict[str, str]:
    """The page's rows by number."""
    page = (REPOSITORY / "docs/failures.md").read_text()
    return dict(re.findall(r"^\| ([FU]\d+) \| (.*) \|$", page, re.MULTILINE))


def test_each_number_has_a_row_and_a_file_of_tests() -> None:
    """And no other; a row without a file would be forgotten."""
    assert list(rows()) == NUMBERS
    assert sorted(path.name.split("_")[1] for path in FILES) == [f"{number[0].lower()}{int(number[1:]):02}" for number in NUMBERS]


def test_every_number_that_is_named_anywhere_has_a_row() -> None:
    named: set[str] = set()
    pages = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    code = [path for folder in ("fluxstead", "components", "tools") for path in (REPOSITORY / folder).rglob("*.py")]
    for path in (*pages, *code):
        named |= set(REFERENCE.findall(path.read_text()))
    assert len(named) > 30
    assert named <= rows().keys()


@pytest.mark.parametrize("number", NUMBERS)
def test_what_is_open_is_what_the_tests_list_as_a_gap(number: str) -> None:
    """A row says that something is open exactly where a test of its number is a gap."""
    [path] = [path for path in FILES if path.name.startswith(beginning(number))]
    assert ("**Open:**" in rows()[number]) == ("mark.gap" in path.read_text())
