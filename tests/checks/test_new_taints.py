"""A taint that a commit adds to a machine with disks, while Longhorn runs without a toleration for it."""

from __future__ import annotations

import pytest

from tests.checks.planted import LONGHORN, Planted, look
from tests.checks.repository import commit, git, render
from tests.conftest import Project

K3S1, K3S2 = "nodes/k3s1.yaml", "nodes/k3s2.yaml"
_TAINT = "taints: [{key: storage, value: only, effect: NoExecute}]\n"
_WISH = _TAINT.replace("NoExecute", "PreferNoSchedule")
_PLACE = "    filesystem: ext4\n"


def tainted(project: Project, file: str, taint: str = _TAINT) -> None:
    """Give a machine a taint."""
    project.replace(file, "labels:\n", f"{taint}labels:\n")


def committed(project: Project) -> None:
    """What is there becomes what Flux has."""
    git(project.root, "init", "-q")
    render(project)
    commit(project.root)


def told(project: Project) -> list[tuple[str, str]]:
    """The text of the line, and why."""
    found = [one for one in project.run().findings if one.id == "longhorn/not-yet-tolerated"]
    return [((project.root / one.source.file).read_text().splitlines()[one.source.line - 1], one.why) for one in found]


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(
    ("file", "taint", "why"),
    [
        (K3S1, _TAINT, "evicts the engines and replicas"),
        (K3S1, _TAINT.replace("NoExecute", "NoSchedule"), "nothing of it starts"),
        (K3S1, _WISH, ""),
        (K3S2, _TAINT, ""),  # it has not joined
    ],
)
def test_a_taint_on_a_machine_that_runs_is_told_at_its_line(reference: Project, file: str, taint: str, why: str) -> None:
    committed(reference)
    tainted(reference, file, taint)
    found = told(reference)
    assert [line for line, _ in found] == ([taint.strip()] if why else [])
    assert all(why in said for _, said in found)


@pytest.mark.usefixtures("somebody")
def test_a_machine_that_joins_with_a_new_taint_is_told_of_and_one_that_was_described_before_is_not(reference: Project) -> None:
    """Its toleration is in what Longhorn started with."""
    committed(reference)
    tainted(reference, K3S2)
    reference.replace(K3S2, "state: planned", "state: live")
    [(line, why)] = told(reference)
    assert line == _TAINT.strip()
    assert "nothing of it starts" in why
    reference.replace(K3S2, "state: live", "state: planned")
    render(reference)
    commit(reference.root)
    reference.replace(K3S2, "state: planned", "state: live")
    assert not told(reference)


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize("said", [":", "a:NoSchedule; storage", "storage=only:NoExecute"])
def test_what_longhorn_tolerates_already_is_fine(reference: Project, said: str) -> None:
    values = f"    values: {{defaultSettings: {{taintToleration: '{said}'}}}}\n"
    reference.replace(reference.stack_file.name, _PLACE, _PLACE + values)
    committed(reference)
    tainted(reference, K3S1)
    assert not told(reference)


@pytest.mark.usefixtures("somebody")
def test_a_taint_that_changes_is_another_one_and_one_that_stays_is_not(reference: Project) -> None:
    tainted(reference, K3S1)
    committed(reference)
    assert not told(reference)
    reference.replace(K3S1, "value: only", "value: mine")
    assert len(told(reference)) == 1


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("", "a:NoExecute", "is to tolerate a:NoExecute, which in HEAD it does not"),
        ("a:NoExecute", "a:NoExecute; b=c:NoSchedule", "is to tolerate b=c:NoSchedule"),
        ("a:NoExecute", "", ""),
        (":", "a:NoExecute", ""),
    ],
)
def test_tolerations_in_a_tree_that_people_wrote(before: str, now: str, said: str) -> None:
    def tree(text: str) -> dict[str, str]:
        values = f"values: {{defaultSettings: {{taintToleration: '{text}'}}, "
        return {path: content.replace("values: {", values) for path, content in LONGHORN.items()}

    planted = Planted(files=tree(now), before=tree(before), cure=("", ""), says="", platform=None)
    found = [one.what for one in look(planted, planted.files) if one.id == "longhorn/not-yet-tolerated"]
    assert len(found) == bool(said)
    assert all(said in what for what in found)
