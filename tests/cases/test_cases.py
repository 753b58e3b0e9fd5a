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
        "job-image-changes",
        "A Job's template never changes: the layer never becomes ready again.",
        {"moves/immutable": "Job web/migrate in HEAD differs in `spec.template`"},
    ),
    Case(
        "job-image-changes-in-a-tree",
        "The same in a tree that people wrote.",
        {"moves/immutable": "Job web/migrate in HEAD differs in `spec.template`"},
    ),
    Case(
        "claim-shrinks",
        "No volume becomes smaller: the API server refuses the claim.",
        {"moves/claim-shrinks": "PersistentVolumeClaim web/data in HEAD asks for 5Gi, and now for 2Gi"},
    ),
    Case(
        "described-volume-shrinks",
        "The claim that is generated from the description is refused as well.",
        {"moves/claim-shrinks": "example-app in HEAD asks for 5Gi, and now for 2Gi"},
    ),
    Case(
        "longhorn-release-name-changes",
        "Flux does not rename: the first release stays, and a second Longhorn would start next to it.",
        {"moves/second-release": "HelmRelease longhorn-system/longhorn in HEAD becomes HelmRelease longhorn-system/lh"},
        ("moves/orphaned",),
    ),
    Case(
        "monitoring-release-name-changes",
        "The first release is not pruned: two stacks would run, on the same custom resources.",
        {"moves/second-release": "monitoring-kube-prometheus-stack in HEAD becomes HelmRelease monitoring/kps"},
        ("moves/orphaned",),
    ),
    Case(
        "target-namespace-changes",
        "Flux uninstalls the release, and installs another one.",
        {"moves/release-anew": "HelmRelease web/db in HEAD is the Helm release web/db, and now default/database"},
    ),
    Case(
        "k3s-skips-minors",
        "No minor release of Kubernetes may be skipped.",
        {"moves/kubernetes-version": "Kubernetes v1.33.1+k3s1 in HEAD becomes v1.36.3+k3s1, more than one minor release at once"},
    ),
    Case(
        "k3s-skips-minors-with-flux",
        "The same with a Flux that fits the newer one; and Flux's own stored objects have to be migrated first.",
        {"moves/kubernetes-version": "becomes v1.36.3+k3s1", "moves/flux-stored-versions": "Flux 2.6.1 in HEAD becomes 2.9.5"},
    ),
    Case(
        "k3s-goes-back",
        "An older API server does not read what a newer one stored.",
        {"moves/kubernetes-version": "Kubernetes v1.33.1+k3s1 in HEAD becomes v1.31.1+k3s1"},
    ),
    Case(
        "old-k3s-with-longhorn",
        "The way back is refused; that the two do not fit is another thing.",
        {"moves/kubernetes-version": "becomes v1.24.1+k3s1", "versions/compatibility": ""},
    ),
    Case(
        "flux-skips-minors",
        "Flux 2.9's CRDs are refused while objects are stored in versions that it dropped.",
        {"moves/flux-stored-versions": "Flux 2.6.1 in HEAD becomes 2.9.5"},
        ("moves/kubernetes-version",),
    ),
    Case(
        "copies-become-one",
        "The class is made anew, which it is annotated for, and volumes keep their copies: fine, but new ones have one.",
        {"longhorn/one-copy-left": "asks for 2 copies, and now for 1"},
        (ANY_ERROR,),
    ),
    Case(
        "longhorn-skips-minors-in-a-tree",
        "Longhorn refuses the step; what was committed is known of trees that people wrote, too.",
        {"moves/longhorn-version": "Longhorn 1.6.2 in HEAD becomes 1.9.0, more than one minor release at once"},
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
