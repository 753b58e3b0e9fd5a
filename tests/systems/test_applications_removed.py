"""What leaves the description is told with what stays in the cluster and what to type, as the page has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fluxstead.core.findings import Finding
from tests.checks.repository import commit, git, render
from tests.conftest import Project
from tests.systems.homelab import PAGE, STACK, application, described, write


@pytest.fixture
def homelab(tmp_path: Path) -> Project:
    """The page's applications, committed."""
    write(tmp_path)
    project = Project(tmp_path, STACK)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "user.name", "a")
    git(tmp_path, "config", "user.email", "a@example.test")
    render(project)
    commit(tmp_path)
    return project


def without(project: Project, text: str) -> list[Finding]:
    """What is told of moves once these lines are gone."""
    project.replace(project.stack_file.name, described(text), "")
    return [one for one in project.run().findings if one.id.startswith("moves/")]


def typed(findings: list[Finding]) -> list[str]:
    """The commands that they tell."""
    return [command for one in findings for command in re.findall("`(kubectl [^`]+)`", one.fix)]


def test_without_volumes_all_of_it_goes_and_nothing_is_told(homelab: Project) -> None:
    """Its namespace too."""
    assert not without(homelab, application("whoami"))


def test_with_volumes_the_namespace_stays_with_its_claims(homelab: Project) -> None:
    """One finding, and not one for each claim."""
    [found] = without(homelab, application("papers"))
    assert found.id == "moves/orphaned"
    assert "with the data of PersistentVolumeClaim papers-data, papers-media" in found.what
    assert typed([found]) == ["kubectl delete namespace papers-live"]
    assert "(which deletes the data)" in found.fix


def test_a_release_stays_and_goes_before_its_namespace(homelab: Project) -> None:
    """Helm keeps what it knows of the release in the namespace."""
    found = without(homelab, application("tides"))
    assert {one.id for one in found} == {"moves/orphaned"}
    assert sorted(typed(found)) == sorted(
        f"kubectl delete {what}"
        for env in ("live", "trial")
        for what in (f"helmrelease tides -n tides-{env}", f"namespace tides-{env}")
    )
    assert all("after the releases in it (which deletes the data)" in one.fix for one in found if "delete namespace" in one.fix)


def test_one_volume_leaves_its_claim(homelab: Project) -> None:
    """The namespace is still described."""
    [found] = without(homelab, "    - {name: media, size: 50Gi, mountPath: /usr/src/paperless/media}\n")
    assert (found.id, typed([found])) == ("moves/data-stays", ["kubectl delete persistentvolumeclaim papers-media -n papers-live"])


def test_an_environment_of_a_chart_leaves_the_other_alone(homelab: Project) -> None:
    """Only what is of it."""
    found = without(homelab, "    - {name: trial, version: 1.5.0, values: {persistence: {size: 1Gi}}}\n")
    assert len(found) == 2
    assert "tides-live" not in str(found)


def test_the_page_has_the_commands_that_the_findings_have(homelab: Project) -> None:
    """Word for word."""
    page = set(re.findall(r"`(kubectl delete [^`]+)`", PAGE.read_text()))
    said = typed(without(homelab, "    - {name: media, size: 50Gi, mountPath: /usr/src/paperless/media}\n"))
    said += typed(without(homelab, application("tides")))
    rest = application("papers").replace("    - {name: media, size: 50Gi, mountPath: /usr/src/paperless/media}\n", "")
    said += typed(without(homelab, rest))
    assert page <= set(said)
    assert len(page) == 4
