"""What the order says of the layers hides nothing else, and is not said again of the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.core.check import warns
from fluxstead.core.findings import Source, gathered
from tests.conftest import REPOSITORY, Project, copy_description

STACK = "Pulumi.edge.yaml"
ELSEWHERE = ("path: apps/whoami", "path: apps/whoam")
"""An error of the files, in a layer that has nothing to do with the others."""
CASES = {
    "order/dangling-dependency": ("dependsOn: [sensors-live]", "dependsOn: [sensors-liv]"),
    "order/cycle": ("          tag: 1.0.3\n", "          tag: 1.0.3\n          dependsOn: [sensors-trial]\n"),
    "order/unmet-need": ("        storageClass: longhorn-nvme\n        mount", "        storageClass: other\n        mount"),
}


@pytest.fixture
def edge(tmp_path: Path) -> Project:
    copy_description(REPOSITORY / "examples/edge", tmp_path)
    return Project(tmp_path, "edge")


def ids(project: Project) -> list[str]:
    return sorted(finding.id for finding in project.run().findings)


@pytest.mark.parametrize("id_", CASES)
def test_an_error_of_the_order_hides_no_other_and_is_said_once(edge: Project, id_: str) -> None:
    before = ids(edge)
    edge.replace(STACK, *ELSEWHERE)
    other = ids(edge)
    assert other != before
    edge.replace(STACK, *CASES[id_])
    assert ids(edge) == sorted([*other, id_])


def test_a_wall_of_equal_findings_is_one_with_a_count() -> None:
    """One line of a shared file, found in each of its users; another change at the same line stays for itself."""
    check = warns("a/b", "F1", "x")
    made = [check(Source("a.yaml", 3), what=f"Secret {name}", why="it leaks", fix="encrypt it") for name in "abc"]
    other = check(Source("a.yaml", 3), what="Secret d", why="it leaks", fix="remove it")
    assert [one.what for one in gathered([*made, other])] == ["Secret a (and 2 more like this)", "Secret d"]
