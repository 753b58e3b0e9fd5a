"""A class that lost its disks is told at the line of the disk that should carry its tag."""

from __future__ import annotations

import re

import pytest

from fluxstead.core.findings import Finding
from tests.checks.planted import Planted, claim, disk, disk_node, kept, layer, look, obj, storage, storage_class
from tests.checks.repository import commit, git, render
from tests.conftest import Project

K3S1 = "nodes/k3s1.yaml"


def with_a_volume(project: Project) -> Project:
    """The reference cluster, committed, with an application whose volume is of the class that a tag makes."""
    stack = project.stack_file.name
    project.replace(
        stack, "      viewers: d", "      volume: {size: 1Gi, storageClass: longhorn-hdd, mountPath: /data}\n      viewers: d"
    )
    text = project.stack_file.read_text()
    text = text.replace("          autoscaling: {minReplicas: 2, maxReplicas: 4, cpu: 70} # our choice\n", "")
    project.stack_file.write_text(text.replace("          disruptionBudget: {maxUnavailable: 1} # our choice\n", ""))
    git(project.root, "init", "-q")
    render(project)
    commit(project.root)
    return project


def told(project: Project) -> list[tuple[str, str, str]]:
    """Where it is said of which tags: file, text of the line, and what to write."""
    found = [one for one in project.run().findings if one.id == "storage/tags"]
    return [(one.source.file, _line(project, one), one.fix) for one in found]


def _line(project: Project, one: Finding) -> str:
    return (project.root / one.source.file).read_text().splitlines()[one.source.line - 1].partition(" #")[0].strip()


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(("now", "line"), [("tags: []", "tags: []"), ("tags: [sdd]", "tags: [sdd]"), ("", "- name: sdf1")])
def test_a_tag_that_a_disk_had_in_a_commit_is_told_at_that_disk(reference: Project, now: str, line: str) -> None:
    """Whether it was emptied, mistyped or deleted: the class is gone with it, and only the commit says what it was."""
    project = with_a_volume(reference)
    file = project.root / K3S1
    file.write_text(re.sub(r"tags: \[hdd\]", now, file.read_text()))
    assert told(project) == [(K3S1, line, "tags: [hdd] for disk sdf1 of k3s1, as in HEAD")]


def test_a_commit_without_the_tag_says_nothing(reference: Project) -> None:
    project = with_a_volume(reference)
    assert not told(project)


def _found(*nodes: str, tag: str = "hdd") -> list[tuple[str, str]]:
    files = {
        **storage(*nodes, storage_class("fast", tag, replicas=2)),
        **layer("web", kept(obj("Namespace", "web")), claim("1Gi", "fast")),
    }
    found = look(Planted(files=files, cure=("", ""), says=""), files)
    return [(files[one.source.file].splitlines()[one.source.line - 1], one.fix) for one in found if one.id == "storage/tags"]


_TWO = "longhorn-system/k3s2"


def test_in_a_tree_that_people_wrote_it_is_the_disk_whose_tag_is_almost_right() -> None:
    [(line, fix)] = _found(disk_node(disk("a", "/mnt/a")), disk_node(disk("b", "/mnt/b", "hhd, old"), _TWO))
    assert "tags: [hhd, old]" in line
    assert fix.startswith("tags: [hdd, old] for disk b of k3s2; or ")


def test_it_is_the_only_disk_without_tags() -> None:
    [(line, _)] = _found(
        disk_node(disk("a", "/mnt/a") + ", " + disk("c", "/mnt/c", "nvme")), disk_node(disk("b", "/mnt/b", ""), _TWO)
    )
    assert "b: {path: /mnt/b" in line


def test_it_is_the_class_where_nothing_says_which_disk() -> None:
    [(line, _)] = _found(
        disk_node(disk("a", "/mnt/a")), disk_node(disk("b", "/mnt/b", "nvme") + ", " + disk("c", "/mnt/c", "nvme"), _TWO)
    )
    assert "diskSelector" in line
