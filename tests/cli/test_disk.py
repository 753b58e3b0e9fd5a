"""`./run disk leave`: the reference cluster's own files, in a real clone; what it may not write, it puts back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fluxstead.cli.__main__ import main
from fluxstead.cli.describing import Describing
from fluxstead.cli.disk import emptied, removed
from fluxstead.live.changes import Amendment, GitWay, Whereto
from fluxstead.live.clock import Clock
from fluxstead.live.clone import Clone
from fluxstead.live.committing import Committing
from fluxstead.live.procedure import Outcome
from fluxstead.live.running import run
from tests.checks.repository import as_somebody, commit, git, render
from tests.conftest import Project
from tests.live.around import thing
from tests.live.git_world import Free
from tests.live.test_many import serving
from tests.live.world import condition

MACHINE = "nodes/k3s1.yaml"
TREE = "generated/k3s-flux/infrastructure/longhorn-node-k3s1"


@pytest.fixture
def clone(reference: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The reference cluster's files, rendered, committed and pushed."""
    folder = tmp_path_factory.mktemp("git")
    as_somebody(monkeypatch, folder)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(reference.root, "init", "--quiet", "--initial-branch=main")
    git(reference.root, "remote", "add", "origin", str(folder / "remote.git"))
    render(reference)
    commit(reference.root, "as it is")
    git(reference.root, "push", "--quiet", "--set-upstream", "origin", "main")
    return reference


def carried_out(project: Project, change: Amendment) -> list[Outcome]:
    """It is committed and pushed, by the command's own way of writing."""
    assembled = project.run().assembled
    assert assembled
    api: Any = None
    place = Whereto(Clone(project.root), Describing(project.root, project.stack, assembled), "main", "disk leave k3s1 sdf1")
    return run(Committing(GitWay(place, api, Clock()), change).steps(), Free(), str, Clock())


def test_the_disk_is_emptied_and_then_taken_out_in_two_commits_of_its_own(clone: Project) -> None:
    before = (clone.root / MACHINE).read_text()
    ended = carried_out(clone, emptied("k3s1", "sdf1"))
    assert [one.well for one in ended] == [True, True], ended
    text = (clone.root / MACHINE).read_text()
    assert text.replace("    evict: true\n", "", 1) == before
    node = yaml.safe_load((clone.root / TREE / "node-k3s1.yaml").read_text())
    disk = node["spec"]["disks"]["sdf1"]
    assert (disk["allowScheduling"], disk["evictionRequested"]) == (False, True)
    ended = carried_out(clone, removed("k3s1", "sdf1"))
    assert [one.well for one in ended] == [True, True], ended
    node = yaml.safe_load((clone.root / TREE / "node-k3s1.yaml").read_text())
    assert sorted(node["spec"]["disks"]) == ["sdg1", "sdh1"]
    after = (clone.root / MACHINE).read_text()
    assert "Nobody wrote the serials down yet" in after
    assert git(clone.root, "log", "--format=%s", "origin/main").splitlines() == [
        "k3s1: take out disk sdf1",
        "k3s1: empty disk sdf1",
        "as it is",
    ]
    assert git(clone.root, "status", "--porcelain") == ""


def test_it_is_not_taken_out_before_it_was_emptied(clone: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The check against what is committed holds for a procedure as well, and every file is put back."""
    says = carried_out(clone, removed("k3s1", "sdf1"))[-1].standing.says
    assert "is removed while Longhorn still places replicas on it" in says
    assert says.endswith("nothing of it is left written")
    assert "moves/disk-removed" in capsys.readouterr().err
    assert git(clone.root, "status", "--porcelain") == ""
    assert git(clone.root, "rev-list", "--count", "HEAD") == "1"


def test_where_volumes_would_have_no_disk_left_nothing_is_written(clone: Project) -> None:
    assert carried_out(clone, emptied("k3s1", "sdf1"))[-1].well
    assert carried_out(clone, emptied("k3s1", "sdg1"))[-1].well
    says = carried_out(clone, emptied("k3s1", "sdh1"))[0].standing.says
    assert "the description would have errors: " in says
    assert says.endswith("nothing of it is left written")
    assert git(clone.root, "status", "--porcelain") == ""


def test_a_tree_that_was_not_rendered_is_not_committed_along(clone: Project) -> None:
    clone.replace(clone.stack_file.name, "retention: 10d", "retention: 11d")
    git(clone.root, "commit", "-qam", "not rendered")
    git(clone.root, "push", "-q")
    standing = carried_out(clone, emptied("k3s1", "sdf1"))[0].standing
    assert "the tree is not what the description says (update generated/k3s-flux/" in standing.says
    assert standing.do == "./run render; git add, git commit and git push; then the same command"
    assert (clone.root / MACHINE).read_text().count("evict") == 0


def longhorn(**disks: dict[str, Any]) -> dict[str, Any]:
    """Longhorn's Node of the first machine; a disk with nothing on it unless something else is said."""
    ready = [condition("Ready"), condition("Schedulable")]
    seen = {"diskUUID": "u", "conditions": ready}
    spec = {name: {"path": f"/mnt/longhorn/{name}", "allowScheduling": True} for name in disks}
    status = {"conditions": ready, "diskStatus": {name: {**seen, **one} for name, one in disks.items()}}
    return thing("k3s1", "longhorn-system", spec={"disks": spec}, status=status)


def said(project: Project, folder: Path, node: dict[str, Any], *more: str) -> int:
    """The command's exit status, in a cluster with this Node of Longhorn's."""
    machine = thing("k3s1", status={"addresses": [{"type": "InternalIP", "address": "192.168.86.71"}]})
    with serving(folder, {"nodes": [machine], "/apis/longhorn.io/v1beta2/nodes": [node]}) as (kubeconfig, _):
        words = ["disk", "leave", "k3s1", *more, "--kubeconfig", kubeconfig, "--project", str(project.root)]
        return main(words)


def test_a_plan_says_each_step_and_changes_nothing(clone: Project, tmp_path_factory: pytest.TempPathFactory, capsys: Any) -> None:
    assert said(clone, tmp_path_factory.mktemp("api"), longhorn(sdf1={}, sdg1={}), "sdf1", "--plan") == 0
    told = capsys.readouterr().out
    assert "1/10 what is on sdf1 of k3s1 has somewhere to go: is so already: nothing is on it" in told
    assert "2/10 sdf1 of k3s1 is described with evict: true: would be done now: write it into nodes/k3s1.yaml" in told
    assert "9/10 sdf1 of k3s1 is described no more: applied: would be waited for: it is not pushed yet" in told
    assert git(clone.root, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("disk", "says"),
    [
        ("sdz1", "k3s1 has no disk sdz1\n    type: one of sdf1, sdg1"),
        ("sdf1", "it is the last disk of k3s1"),
    ],
)
def test_what_cannot_be_is_said_before_anything_begins(
    disk: str, says: str, clone: Project, tmp_path_factory: pytest.TempPathFactory, capsys: Any
) -> None:
    node = longhorn(sdf1={}, sdg1={}) if disk == "sdz1" else longhorn(sdf1={})
    assert said(clone, tmp_path_factory.mktemp("api"), node, disk) == 1
    assert says in capsys.readouterr().err


def test_a_description_with_errors_begins_nothing(clone: Project, capsys: Any) -> None:
    clone.replace(MACHINE, "role: server", "role: sever")
    assert main(["disk", "leave", "k3s1", "sdf1", "--project", str(clone.root)]) == 1
    assert "sever" in capsys.readouterr().err
