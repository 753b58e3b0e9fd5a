"""F3: kustomization.yaml listed a file that was not in the repository, and the whole layer failed to build."""

from __future__ import annotations

from tests.conftest import Project
from tests.failures.refusal import refused


def test_a_listed_file_that_is_not_there_is_refused() -> None:
    """Whoever wrote the list."""
    refused("F3", "references/missing-file")


def test_a_directory_that_is_not_there_is_refused() -> None:
    """Flux reports it only after the push."""
    refused("F3", "references/missing-path")


def test_a_file_that_is_not_yaml_is_refused() -> None:
    """It fails the build just the same."""
    refused("F3", "references/not-yaml")


def test_generated_lists_name_the_files_beside_them(example: Project) -> None:
    """By construction: the list and the files come from one tuple."""
    assembled = example.run().assembled
    assert assembled is not None
    lists = [file for file in assembled.tree if file.path.endswith("/kustomization.yaml")]
    assert len(lists) > 5
    paths = {file.path for file in assembled.tree}
    for one in lists:
        folder = one.path.removesuffix("kustomization.yaml")
        assert {folder + name for name in one.object["resources"]} <= paths
