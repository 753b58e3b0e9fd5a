"""Small inputs from real clusters' troubles, as data: each folder is a tree, or a change of the reference cluster's description.

A folder with `change.patch` is a change of the reference cluster; `before.patch`, where it is there, was committed first. Any other
folder is a hand-written tree; `before/`, where it is there, holds the files as they were committed first.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluxstead.checks.hand_written import clusters_in
from fluxstead.core.findings import Finding, Severity
from fluxstead.roster import SYSTEM_FACTS, judged
from tests.checks.repository import commit, git, render
from tests.conftest import Project

HERE = Path(__file__).parent
PATCH = "change.patch"
BEFORE = "before"
ANY_ERROR = "*"
"""Stands for the id of every error."""


@dataclass(frozen=True)
class Case:
    """A folder; what is found in it, by id and a part of the text; and ids that must not be found."""

    folder: str
    why: str
    """What happens to whoever has it."""
    found: dict[str, str]
    never: tuple[str, ...] = ()


CASES = (
    Case(
        "one-release-name-twice",
        "Helm keeps one history under the name: each upgrade of the one undoes the other.",
        {"ownership/two-releases": "installs the Helm release web/site"},
    ),
    Case(
        "one-copy-undrainable",
        "Longhorn's default policy blocks a drain for as long as the node holds a volume's last copy: for ever with one copy.",
        {"longhorn/never-drained": "volumes have one copy"},
    ),
    Case(
        "role-label",
        "The kubelet and Flux write over each other's hostname, by which volumes are placed; a role is Flux's to give.",
        {"nodes/reserved-label": "kubernetes.io/hostname: other", "nodes/kubelet-label": "beta.kubernetes.io/arch"},
    ),
    Case("taints", "kubectl's form is a habit.", {"description/value": "is written as kubectl has it"}),
    Case(
        "taint-without-toleration",
        "Longhorn gets a toleration; applications have none, and the one live machine keeps them away until the other joins.",
        {"placement/nowhere-yet": "until k3s2 joins, every machine keeps"},
        never=(ANY_ERROR,),
    ),
    Case(
        "rwo-rolling-update",
        "On another node the new pod waits for the volume, and the old one for the new.",
        {"scaling/rolling-claim": "PersistentVolumeClaim data"},
    ),
    Case(
        "hpa-and-budget",
        "Each apply undoes the autoscaler, and no node that runs a pod drains.",
        {"scaling/two-numbers": "has replicas: 1", "scaling/budget-blocks-drains": "lets none of its 2 pods"},
    ),
    Case(
        "schema-of-own-manifests",
        "Own manifests under a description: a budget over one pod blocks every drain.",
        {"scaling/budget-blocks-drains": "PodDisruptionBudget web/site"},
    ),
)


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder)
def test_what_is_said_of_a_case(case: Case, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if (HERE / case.folder / PATCH).exists():
        found = _of_description(HERE / case.folder, request.getfixturevalue("reference"))
    else:
        found = _of_tree(HERE / case.folder, tmp_path / "tree")
    told = [f"{one.id}: {one.what}" for one in found]
    for check, part in case.found.items():
        assert any(one.startswith(f"{check}: ") and part in one for one in told), told
    for check in case.never:
        assert not [one for one in found if check == one.id or (check == ANY_ERROR and one.severity is Severity.ERROR)], told


def _of_description(case: Path, project: Project) -> list[Finding]:
    before = case / f"{BEFORE}.patch"
    git(project.root, "init", "-q")
    if before.exists():
        git(project.root, "apply", "-C1", str(before))
    render(project)
    commit(project.root)
    git(project.root, "apply", "-C1", str(case / PATCH))
    return list(project.run().findings)


def _of_tree(case: Path, root: Path) -> list[Finding]:
    shutil.copytree(case, root, ignore=shutil.ignore_patterns(BEFORE), symlinks=True)
    git(root, "init", "-q")
    if (case / BEFORE).exists():
        shutil.copytree(case / BEFORE, root, dirs_exist_ok=True)
        commit(root)
        shutil.copytree(case, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(BEFORE), symlinks=True)
    else:
        commit(root)
    said = (one for past in clusters_in(root, SYSTEM_FACTS).values() for one in judged(past))
    return [one for one in said if isinstance(one, Finding)]
