"""Warnings can be accepted with a reason; errors cannot, and an acceptance of nothing is told."""

from __future__ import annotations

import pytest

from tests.conftest import Project

STACK = "Pulumi.k3s-flux.yaml"


def accept(project: Project, id_: str) -> set[str]:
    """The ids that are found with this acceptance."""
    text = project.stack_file.read_text().rstrip()
    project.stack_file.write_text(f"{text}\n  fluxstead:accept:\n    - id: {id_}\n      reason: it is known\n")
    return {finding.id for finding in project.run().findings}


def test_an_accepted_warning_is_gone_and_the_others_stay(reference: Project) -> None:
    """Only that one."""
    before = {finding.id for finding in reference.run().findings}
    assert accept(reference, "ingress/retired") == before - {"ingress/retired"}


@pytest.mark.parametrize(
    ("id_", "found"),
    [("tree/two-owners", "accept/error"), ("longhorn/open-iu", "accept/unknown"), ("longhorn/untried-version", "accept/unused")],
)
def test_an_acceptance_that_cannot_be_is_told(reference: Project, id_: str, found: str) -> None:
    """An acceptance of an error, of an unknown id, or of a warning that does not occur."""
    assert found in accept(reference, id_)


def test_an_acceptance_needs_a_reason(reference: Project) -> None:
    """For whoever reads it next."""
    text = reference.stack_file.read_text().rstrip()
    reference.stack_file.write_text(f"{text}\n  fluxstead:accept: [{{id: ingress/retired}}]\n")
    assert "description/missing" in {finding.id for finding in reference.run().findings}
