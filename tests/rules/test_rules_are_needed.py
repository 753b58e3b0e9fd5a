"""No rule is decoration: each place in the code that makes a finding is switched off, and then a mistake goes out unnamed.

`test_checks_are_needed.py` has a defect for each check that a rule makes; here are those that are made elsewhere, and for both it
is held that no place is left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fluxstead.checks.outside.rules import OF_FILES
from fluxstead.checks.outside.rules import RULES as OF_OUTSIDE
from fluxstead.checks.reading.uncommitted import NOT_ADDED
from fluxstead.checks.registry import MADE_ELSEWHERE
from fluxstead.description import kubernetes_checks, load, place, problems, text_in, yaml_in
from fluxstead.roster import SYSTEMS
from fluxstead.secrets import checks as secrets
from fluxstead.tree.delivery import LOCKED, NOT_WRITTEN
from fluxstead.tree.look import UNREADABLE
from tests.cases.test_cases import CASES
from tests.rules.all_mistakes import MISTAKES
from tests.rules.mistakes import Mistake
from tests.rules.mutated import REPOSITORY

pytestmark = pytest.mark.reference
BY_THE_DISK = {LOCKED, NOT_WRITTEN, UNREADABLE}
BY_GIT = {NOT_ADDED}
OF_DESCRIPTIONS = [
    check for module in (kubernetes_checks, load, place, problems, text_in, yaml_in, secrets) for check in module.CHECKS
]
PLANNED = [check for system in SYSTEMS for check in system.planned]
SEVERITIES = {check.id: str(check.severity) for check in {*MADE_ELSEWHERE, *OF_DESCRIPTIONS, *PLANNED} - BY_THE_DISK - BY_GIT}
ELSEWHERE_TESTED = {check.id for rule in (*OF_OUTSIDE, *OF_FILES) for check in rule.checks}
ELSEWHERE_TESTED |= {check.id for check in BY_THE_DISK | BY_GIT}
"""They ask programs and servers: tests/checks/test_outside.py, test_registries.py and test_listed.py; the disk: tests/tree."""


def test_what_git_alone_tells_has_a_case() -> None:
    """In `tests/cases`."""
    assert {check.id for check in BY_GIT} <= {id_ for case in CASES for id_ in case.found}


@pytest.fixture(scope="module")
def mutated() -> dict[str, Any]:
    """The answers of the project without each of its rules, in the order of the mistakes."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.rules.mutated"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def new(mutated: dict[str, Any]) -> Callable[[Mistake, dict[str, Any]], set[str]]:
    """The ids that are found more often than in the base."""
    base = {stack: Counter(one["id"] for one in answer["findings"]) for stack, answer in mutated["untouched"].items()}
    return lambda mistake, answer: set(Counter(one["id"] for one in answer["findings"]) - base[mistake.base])


def test_every_rule_has_a_mistake() -> None:
    """A new rule without one fails here."""
    assert len(SEVERITIES) > 60
    assert {mistake.id for mistake in MISTAKES} == SEVERITIES.keys()


@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=[f"{one.id}-{one.at}" for one in MISTAKES])
def test_a_mistake_is_named_and_without_its_rule_it_is_not(
    number: int, mutated: dict[str, Any], new: Callable[[Mistake, dict[str, Any]], set[str]]
) -> None:
    """With the rule: its id and severity, at the line. Without: nothing, or only what is said to tell of it as well."""
    mistake, answer = MISTAKES[number], mutated["answers"][number]
    found = [one for one in answer["with"]["findings"] if one["id"] == mistake.id]
    assert any(mistake.at in one["text"] for one in found), answer["with"]["findings"]
    assert {one["severity"] for one in found} == {SEVERITIES[mistake.id]}
    assert new(mistake, answer["with"]) <= {mistake.id, *mistake.beside}
    assert answer["places"]
    seen = new(mistake, answer["with"])
    for without in answer["without"]:
        assert isinstance(without["status"], int), without["status"]
        assert new(mistake, without) <= mistake.beside
        seen |= new(mistake, without)
    assert seen == {mistake.id, *mistake.beside}, "what is said to tell of it does not"


def test_no_place_is_left_out(mutated: dict[str, Any]) -> None:
    """Some rules are written in several places, for several forms of a mistake; each has its own."""
    reached = {place for answer in mutated["answers"] for place in answer["places"]} | set(mutated["of the tree"])
    assert len(reached) > 140
    assert {place: id_ for place, id_ in mutated["known"].items() if place not in reached and id_ not in ELSEWHERE_TESTED} == {}
