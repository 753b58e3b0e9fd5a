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
        own = {name for name in one.object["resources"] if not name.startswith("../")}
        assert {folder + name for name in own} <= paths


def test_a_list_of_ciphertext_names_the_files_beside_it(example: Project) -> None:
    """What is missing leaves its list as well; what the committed list names is an error (moves/secret)."""
    (example.root / "secrets/edge/wiki-live-access/wiki-settings.sops.yaml").unlink()
    assembled = example.run().assembled
    assert assembled is not None
    assert assembled.lists["secrets/edge/wiki-live-access/kustomization.yaml"].endswith("resources: []\n")
    refused("F3", "moves/secret")
