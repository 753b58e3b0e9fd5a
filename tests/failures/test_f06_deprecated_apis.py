"""F6: deprecated APIs (helm.toolkit.fluxcd.io/v2beta1 and the like) in the tree."""

from __future__ import annotations

from dataclasses import replace

from fluxstead.core.platform import Platform
from fluxstead.core.version import Version
from tests.checks.defects import DEFECTS
from tests.checks.planted import look
from tests.failures.refusal import refused


def test_an_api_that_is_on_its_way_out_is_named() -> None:
    """In a tree without a description: nobody knows its Flux."""
    refused("F6", "versions/deprecated-api")


def test_what_the_clusters_versions_do_not_serve_is_refused() -> None:
    """With a description, by the schemas of exactly those versions."""
    refused("F6", "tree/schema")


def test_an_included_file_of_an_api_that_this_flux_no_longer_serves_is_an_error() -> None:
    """The description says Flux 2.9, which dropped v2beta1."""
    newest = Platform(cluster="home", flux=Version("2.9.5"), kubernetes=Version("v1.36.3+k3s1"), disabled=frozenset())
    defect = replace(DEFECTS["versions/deprecated-api"], platform=newest)
    assert [one.id for one in look(defect, defect.files)] == ["tree/schema"]
