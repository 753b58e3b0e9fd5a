"""How a failure is shown: the planted defect goes out where its check is taken away, and is refused where it is there."""

from __future__ import annotations

from typing import NoReturn

import pytest

from fluxstead.core.findings import Severity, errors
from fluxstead.roster import all_checks
from tests.checks.defects import DEFECTS
from tests.checks.planted import look


def refused(number: str, id_: str) -> None:
    """Without the check, nothing stops the tree with the defect; with it, the finding names what is wrong."""
    defect = DEFECTS[id_]
    [check] = [one for one in all_checks() if one.id == id_]
    assert number in check.protects.split(", "), f"{id_} does not say that it protects from {number}"
    seen = look(defect, defect.files)
    assert {finding.id for finding in errors(seen)} <= {id_}, "something else refuses it as well"
    found = [finding for finding in seen if finding.id == id_]
    assert any(defect.says in finding.what for finding in found)
    assert check.severity is Severity.WARNING or errors(found)


def not_done(what: str) -> NoReturn:
    """The body of a gap."""
    pytest.fail(f"not done: {what}")
