"""F23: auto-upgrade ranges (1.5.x, ^55.0.0) moved charts unasked."""

from __future__ import annotations

import pytest

from tests.checks.planted import WEB, Planted, layer, look, release
from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_range_is_refused() -> None:
    """Also in files that people wrote."""
    refused("F23", "versions/range")


@pytest.mark.parametrize("version", [">=1.9.0", "1.9.0 || >1.10.0", "1.9.0.1", "*", "", "x"])
def test_a_range_without_an_end_is_refused(version: str) -> None:
    """Also for a chart in the catalog: a range is never used for a look-up by version."""
    assert "versions/range" in _told(version)


@pytest.mark.parametrize("version", ["1.9.0 || 1.10.0", "1.9.0 - 1.10.0", "^1.9.0", "~1.9", "1.9.x", "1.x", "1.9", ">=1.9.0 <2"])
def test_of_a_range_with_an_end_is_warned(version: str) -> None:
    """Somebody decided how far it may go."""
    assert "versions/bounded-range" in _told(version)
    assert "versions/range" not in _told(version)


def _told(version: str) -> set[str]:
    files = layer("longhorn", release("longhorn-system/longhorn", "longhorn", f"'{version}'", ", values: {a: b}"))
    return {one.id for one in look(Planted(files=files, cure=("", ""), says=""), files)}


def test_an_image_that_moves_under_its_tag_is_warned_of() -> None:
    """It differs from node to node."""
    refused("F23", "versions/moving-image")


def test_a_range_in_the_description_is_refused(reference: Project) -> None:
    """Before anything else is looked at."""
    reference.replace("Pulumi.k3s-flux.yaml", "version: 1.9.2", "version: 1.9.x")
    assert "description/value" in {finding.id for finding in reference.run().findings}


def test_a_version_that_yaml_takes_for_a_number_is_told_as_it_stands_there() -> None:
    """`1.10` is the number 1.1, which would be another release."""
    files = layer("web", WEB, release("web/site", "site", "1.10"))
    [finding] = [one for one in look(Planted(files=files, cure=("", ""), says=""), files) if one.id == "versions/number"]
    assert "has the version 1.10, which YAML reads as the number 1.1" in finding.what
