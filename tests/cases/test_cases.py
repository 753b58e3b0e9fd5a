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
        "number-into-label",
        "Flux writes the object as YAML, without quotes, and substitutes then: the API server gets a number and refuses it.",
        {"tree/no-text": "has the number 5 at data.vlan"},
    ),
    Case(
        "longhorn-flags",
        "Nothing in the tree says that it is k3s, so the kubelet is a warning. Network policies matter where something collects.",
        {"longhorn/kubelet-root-unsure": "agent/kubelet", "longhorn/deletion-confirmed": "confirmed"},
        (ANY_ERROR, "longhorn/not-collected"),
    ),
    Case(
        "described-longhorn-flags",
        "The same in a description of k3s, which has had its kubelet in /var/lib/kubelet since 0.10.",
        {"longhorn/kubelet-root": "agent/kubelet", "longhorn/deletion-confirmed": "confirmed"},
        ("longhorn/not-collected",),
    ),
    Case(
        "regex-path-with-prefix",
        "The webhook of ingress-nginx 1.12 refuses patterns in paths of type Prefix, and snippets.",
        {"ingress/pattern-in-prefix": "of type Prefix", "ingress/snippet": "configuration-snippet"},
    ),
    Case(
        "coredns-hosts-override",
        "k3s's block has `hosts` already. AKS reads the same ConfigMap, and its block has none: so it is a warning here.",
        {"dns/hosts-twice-unsure": "home.override", "dns/unread-key": "ignored.conf"},
        (ANY_ERROR,),
    ),
    Case(
        "coredns-own-key",
        "Two Kustomizations would write the same ConfigMap, and CoreDNS would refuse one of the two.",
        {"tree/two-owners": "kube-system/coredns-custom"},
    ),
    Case(
        "monitor-not-selected",
        "The chart's Prometheus takes only what carries the name of its release, and no Service has the labels.",
        {"monitoring/not-selected": "release: kps", "monitoring/finds-nothing": "app=nothing-has-this"},
        (ANY_ERROR,),
    ),
    Case(
        "control-plane-alerts",
        "They fire on k3s, and wherever these listen on localhost only; that its operator may have changed.",
        {"monitoring/always-firing": "KubeProxyDown"},
        (ANY_ERROR,),
    ),
    Case(
        "chart-without-ref",
        "Flux takes the tag latest, which few charts have, and which moves where one has it.",
        {"versions/moving-chart": "has no ref"},
        (ANY_ERROR,),
    ),
    Case(
        "crds-not-upgraded",
        "Helm installs what is in crds/ once; whoever updates it by hand is not seen, so a warning.",
        {"releases/crds-not-upgraded": "kube-prometheus-stack"},
        (ANY_ERROR,),
    ),
    Case(
        "values-of-any-release",
        "Longhorn moved its backup target in 1.8; the values of every release are known, not only of the newest of a line.",
        {"tree/chart-value": "`defaultSettings.backupTarget` (1.7.3 still has it)", "tree/chart-value-unsure": "zebra"},
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
