"""F20: chart values that the chart does not know, a HelmRepository of the wrong type, a duplicate key."""

from __future__ import annotations

import pytest

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.store import TextStore
from fluxstead.checks.rule import Remark
from fluxstead.checks.rules.versions import chart_values
from fluxstead.roster import SYSTEM_FACTS
from tests.checks.planted import layer, release
from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_value_that_the_chart_does_not_know_is_refused() -> None:
    """Helm ignores it without a word."""
    refused("F20", "tree/chart-value")
    refused("F20", "tree/chart-value-unsure")


def test_a_source_whose_type_does_not_fit_its_url_is_refused() -> None:
    """Flux would look for an index where there is none."""
    refused("F20", "versions/source-type")


def test_a_key_that_stands_twice_is_refused(reference: Project) -> None:
    """One of the two values would vanish."""
    reference.replace("nodes/k3s2.yaml", "role: agent", "role: agent\nrole: server")
    assert "description/yaml" in {finding.id for finding in reference.run().findings}


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.8.3", "longhorn 1.8.3: the release is not known; known nearby: 1.8.2, 1.9.0"),
        ("1.4.4", "known nearby: 1.5.0"),
        ("1.9.x", "which release that is, only the cluster finds out"),
    ],
)
def test_a_release_that_is_not_known_is_said_with_its_neighbours(version: str, said: str) -> None:
    """1.8.3 lies between 1.8.2 and 1.9.0, and is not one of them: nothing is guessed of it."""
    files = layer("longhorn", release("longhorn-system/longhorn", "longhorn", version, ", values: {a: b}"))
    context = CheckContext(tree=read_applied_tree(TextStore(files), ["clusters/home"]), facts=SYSTEM_FACTS)
    [remark] = chart_values(context)
    assert isinstance(remark, Remark)
    assert said in remark.text
