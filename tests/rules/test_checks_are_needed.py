"""No check is decoration: its planted defect is found, and the cured tree is clean of it."""

from __future__ import annotations

import pytest

from fluxstead.checks.registry import OF_COMMITS
from fluxstead.core.findings import Finding, Severity
from fluxstead.roster import OF_MOVES, OF_TREES
from tests.checks.defects import DEFECTS, OF_THE_DESCRIPTION
from tests.checks.defects_again import PLANTED
from tests.checks.planted import Planted, look, past_of

CHECKS = {check.id: check for rules in (OF_TREES, OF_MOVES, OF_COMMITS) for rule in rules for check in rule.checks}
# What looks outside has its own stand-ins: tests/checks/test_outside.py.


def test_every_check_over_the_tree_has_a_planted_defect() -> None:
    """A new check without one fails here."""
    assert len(CHECKS) > 40
    assert CHECKS.keys() == DEFECTS.keys()


@pytest.mark.parametrize(("id_", "defect"), PLANTED)
def test_a_planted_defect_is_named(id_: str, defect: Planted) -> None:
    """`test_rules_are_needed.py` switches each place off that makes a finding."""
    found = [finding for finding in look(defect, defect.files) if finding.id == id_]
    assert found, [finding.text() for finding in look(defect, defect.files)]
    assert any(defect.says in finding.what for finding in found), [finding.what for finding in found]
    assert {finding.severity for finding in found} == {CHECKS[id_].severity}


@pytest.mark.parametrize(("id_", "defect"), PLANTED)
def test_a_rule_makes_findings_of_the_checks_that_it_names(id_: str, defect: Planted) -> None:
    """By them it is listed; another one would come from nowhere."""
    past = past_of(defect, defect.files)
    made = [
        *((rule.checks, list(rule.function(past.context))) for rule in OF_TREES),
        *((rule.checks, list(rule.function(move))) for rule in OF_MOVES for move in past.transitions),
        *((rule.checks, list(rule.function(past))) for rule in OF_COMMITS),
    ]
    for checks, said in made:
        assert {one.id for one in said if isinstance(one, Finding)} <= {check.id for check in checks}
    assert any(one.id == id_ for _, said in made for one in said if isinstance(one, Finding))


@pytest.mark.parametrize(("id_", "defect"), [one for one in PLANTED if one[0] not in OF_THE_DESCRIPTION])
def test_the_cured_tree_has_no_error(id_: str, defect: Planted) -> None:
    """What the finding asks for is enough."""
    left = [finding for finding in look(defect, defect.cured()) if finding.id == id_ or finding.severity is Severity.ERROR]
    assert not left, [finding.text() for finding in left]


@pytest.mark.parametrize(("id_", "defect"), PLANTED)
def test_a_defect_is_the_only_error_of_its_tree(id_: str, defect: Planted) -> None:
    """The smallest tree: without the check it would have gone out."""
    others = [finding for finding in look(defect, defect.files) if finding.id != id_ and finding.severity is Severity.ERROR]
    assert not others, [finding.text() for finding in others]
