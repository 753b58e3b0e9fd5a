"""What leaves the tree: advice that empties disks is given for one machine, never for a change that takes all with it."""

from __future__ import annotations

from typing import Any

import pytest

from fluxstead.core.findings import Finding, errors
from tests.checks.planted import LONGHORN, WEB, Planted, disk, disk_node, layer, look, machine, obj, storage
from tests.checks.repository import commit, git, moves, render
from tests.conftest import Project

A, B = disk("a", "/mnt/a"), disk("b", "/mnt/b")
TWO = (disk_node(A), disk_node(B, name="longhorn-system/k3s2"))
ADVICE = ("leaving", "evict", "without it", "the file goes")


def told(before: dict[str, str], files: dict[str, str], *, described: bool = True, nodes: tuple[str, ...] = ()) -> list[Finding]:
    more: dict[str, Any] = {} if described else {"platform": None}
    machines = [machine(name=name, address=f"192.168.86.{number}") for number, name in enumerate(nodes, 71)]
    planted = Planted(files=files, before=before, cure=("", ""), says="", nodes=machines, **more)
    return [finding for finding in look(planted, files) if finding.id.startswith("moves/")]


@pytest.fixture
def committed(reference: Project) -> Project:
    """The reference cluster in a repository, with two machines."""
    reference.replace("nodes/k3s2.yaml", "state: planned", "state: live")
    git(reference.root, "init", "-q", "-b", "main")
    git(reference.root, "config", "user.name", "a")
    git(reference.root, "config", "user.email", "a@example.test")
    render(reference)
    commit(reference.root)
    return reference


@pytest.mark.parametrize(
    "text", ["", "# emptied\n", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a, namespace: flux-system}\n"]
)
def test_an_emptied_entry_is_told_and_no_machine_is_to_leave(committed: Project, text: str) -> None:
    """Followed, the advice would have emptied every disk of the cluster."""
    (committed.root / "clusters/k3s-flux/tree.yaml").write_text(text)
    [finding] = errors(committed.run().findings)
    assert (finding.id, finding.source.file) == ("tree/entry", "clusters/k3s-flux/tree.yaml")
    assert not [words for words in ADVICE if words in finding.fix]
    assert "git checkout -- clusters/k3s-flux/tree.yaml" in finding.fix
    git(committed.root, "checkout", "--", "clusters/k3s-flux/tree.yaml")
    assert not errors(committed.run().findings)


@pytest.mark.parametrize("part", ["apps", "monitoring"])
def test_an_entry_that_leads_to_a_part_is_told_of_the_machines_at_once(committed: Project, part: str) -> None:
    """Only the entry is wrong: the machines are still described, so no finding tells anybody to remove one."""
    entry = committed.root / "clusters/k3s-flux/tree.yaml"
    entry.write_text(entry.read_text().replace("path: ./generated/k3s-flux", f"path: ./generated/k3s-flux/{part}"))
    [finding] = errors(committed.run().findings)
    assert finding.id == "tree/entry"
    assert f"a part of the tree, ./generated/k3s-flux/{part}" in finding.what
    assert not [words for words in ADVICE if words in finding.fix]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    replicas: 2\n", "    replicas: 2\n    namespace: storage\n"),
        ("    replicas: 2\n", "    replicas: 2\n    releaseName: lh\n"),
    ],
)
def test_a_longhorn_of_another_name_is_told_once(committed: Project, old: str, new: str) -> None:
    """Its namespace or its release: a second one would start beside it."""
    committed.replace(committed.stack_file.name, old, new)
    [finding] = moves(committed)
    assert finding.id == "moves/second-release"
    assert "longhorn-system" in finding.fix
    assert not [words for words in ADVICE if words in finding.fix]


def test_one_machine_that_goes_is_told_how_and_the_other_takes_its_replicas() -> None:
    """As before; where people wrote the tree, with the fields of Longhorn's own object."""
    [finding] = told(storage(*TWO), storage(TWO[0]), nodes=("k3s1",))
    assert "state: leaving" in finding.fix
    [finding] = told(storage(*TWO), storage(TWO[0]), described=False)
    assert "allowScheduling: false and evictionRequested: true" in finding.fix


def test_the_last_machines_are_not_told_to_leave() -> None:
    """Nobody would be left to take their replicas."""
    for described in (True, False):
        found = told(storage(*TWO), storage(WEB), described=described)
        assert [finding.id for finding in found] == ["moves/node-left"] * 2
        assert all("no machine would be left" in finding.fix for finding in found)
        assert not [words for finding in found for words in ADVICE if words in finding.fix]


def test_a_machine_whose_file_was_renamed_is_told_its_old_name() -> None:
    """The same disks under another name."""
    [finding] = told(storage(*TWO), storage(TWO[0], disk_node(B, name="longhorn-system/node2")), nodes=("k3s1", "node2"))
    assert "or its old name, k3s2, if node2 is the same machine" in finding.fix


@pytest.mark.parametrize(("old", "new"), [("/mnt/", "/data/"), ("a: {path: /mnt/a,", "x: {path: /mnt/a,")])
def test_disks_that_all_change_at_once_are_not_to_be_emptied(old: str, new: str) -> None:
    """Their replicas have nowhere to go."""
    one = disk_node(A)
    found = told(storage(one), storage(one.replace(old, new)), nodes=("k3s1",))
    assert {finding.id for finding in found} <= {"moves/disk-changed", "moves/disk-removed"}
    assert len(found) == 1
    assert not [words for finding in found for words in ADVICE if words in finding.fix]


def test_one_disk_of_several_is_to_be_emptied_first() -> None:
    """The others take its replicas."""
    [finding] = told(storage(*TWO), storage(TWO[0], TWO[1].replace("/mnt/b", "/mnt/c")), nodes=("k3s1", "k3s2"))
    assert "with evict: true" in finding.fix


def test_what_is_removed_from_the_first_folder_is_pruned_as_its_kustomization_says() -> None:
    """`flux bootstrap` writes the Kustomization of the very folder that holds it."""
    own = layer("flux-system")["clusters/home/flux-system.yaml"].replace("path: ./flux-system", "path: ./clusters/home")
    before = {"clusters/home/own.yaml": own, "clusters/home/crd.yaml": obj("CustomResourceDefinition", "a.b", "spec: {group: b}")}
    assert [finding.id for finding in told({**LONGHORN, **before}, {**LONGHORN, "clusters/home/own.yaml": own})] == ["moves/left"]
    [finding] = told(
        {**LONGHORN, **before, "clusters/home/own.yaml": own.replace("prune: true", "prune: false")},
        {**LONGHORN, "clusters/home/own.yaml": own},
    )
    assert finding.id == "moves/orphaned"


@pytest.mark.parametrize(
    ("inside", "held"),
    [
        (obj("StatefulSet", "web/a", "spec: {}", "apps/v1"), False),
        (obj("StatefulSet", "web/a", "spec: {volumeClaimTemplates: [{metadata: {name: a}}]}", "apps/v1"), True),
        (obj("Cluster", "web/a", "spec: {storage: {storageClass: longhorn}}", "postgresql.cnpg.io/v1"), True),
        (obj("Deployment", "web/a", "spec: {}", "apps/v1"), False),
    ],
)
def test_a_namespace_that_leaves_is_told_where_volumes_are_in_it(inside: str, held: bool) -> None:
    """The same objects have volumes here as where pruning is judged: an operator's too, a StatefulSet without claims not."""
    found = told(layer("web", WEB, inside), layer("web", obj("ConfigMap", "default/x")), described=False)
    assert [finding.id for finding in found] == (["moves/left"] if held else [])
