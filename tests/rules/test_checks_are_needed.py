"""No check is decoration: without it, its planted defect is not found; with it, it is, and the cured tree is clean of it."""

from __future__ import annotations

import pytest

from fluxstead.checks.registry import OUTSIDE
from fluxstead.core.findings import Severity
from fluxstead.roster import CHECKS
from tests.checks.defects import DEFECTS, OF_THE_DESCRIPTION
from tests.checks.defects_again import PLANTED
from tests.checks.planted import Planted, look

WITH_A_FUNCTION = [check for check in CHECKS if check.function and check not in OUTSIDE]
# Those have their own stand-ins: tests/checks/test_outside.py.


def test_every_check_over_the_tree_has_a_planted_defect() -> None:
    """A new check without one fails here."""
    assert len(WITH_A_FUNCTION) > 40
    assert {check.id for check in WITH_A_FUNCTION} == DEFECTS.keys()


@pytest.mark.parametrize(("id_", "defect"), PLANTED)
def test_a_check_that_is_taken_out_of_the_registry_is_missed(id_: str, defect: Planted) -> None:
    """The mutation: the registry without this one check."""
    [check] = [one for one in CHECKS if one.id == id_]
    found = [finding for finding in look(defect, defect.files) if finding.id == id_]
    assert found, [finding.text() for finding in look(defect, defect.files)]
    assert any(defect.says in finding.what for finding in found), [finding.what for finding in found]
    assert {finding.severity for finding in found} == {check.severity}
    without = [one for one in CHECKS if one is not check]
    assert id_ not in {finding.id for finding in look(defect, defect.files, without)}


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
