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
    told = [commands for one in findings for commands in re.findall("`(kubectl [^`]+)`", one.fix)]
    return [command for commands in told for command in commands.split(" && ")]


def of_the_namespace(name: str) -> list[str]:
    """What takes away a namespace, and the account that Flux acted as in it."""
    return [f"kubectl delete namespace {name}", f"kubectl delete serviceaccount app-{name} -n flux-system"]


def test_without_volumes_no_data_are_told(homelab: Project) -> None:
    """The namespace stays all the same, for Flux to delete what is in it."""
    [found] = without(homelab, application("whoami"))
    assert (found.id, typed([found])) == ("moves/orphaned", of_the_namespace("whoami-live"))
    assert "data" not in f"{found.what} {found.fix}"


def test_with_volumes_the_namespace_stays_with_its_claims(homelab: Project) -> None:
    """One finding, and not one for each claim."""
    [found] = without(homelab, application("papers"))
    assert found.id == "moves/orphaned"
    assert "with the data of PersistentVolumeClaim papers-data, papers-media" in found.what
    assert typed([found]) == of_the_namespace("papers-live")
    assert "(which deletes the data)" in found.fix


def test_a_release_stays_and_goes_before_its_namespace(homelab: Project) -> None:
    """Helm keeps what it knows of the release in the namespace."""
    found = without(homelab, application("tides"))
    assert {one.id for one in found} == {"moves/orphaned"}
    expected = [f"kubectl delete helmrelease tides -n tides-{name}" for name in ("live", "trial")]
    assert sorted(typed(found)) == sorted([*expected, *of_the_namespace("tides-live"), *of_the_namespace("tides-trial")])
    assert len(found) == 2, "the release and its namespace together"
    for one in found:
        release, rest = one.fix.split(", then ")
        assert "delete helmrelease" in release
        assert "(which deletes the claims that its chart made, if any, and their data)" in release
        assert "delete namespace" in rest
        assert "(which deletes the data)" in rest


def test_namespaces_in_which_nothing_runs_any_more_are_told_once(homelab: Project) -> None:
    """Their pods are deleted; one command for all of them."""
    homelab.replace(homelab.stack_file.name, described(application("whoami")), "")
    [found] = without(homelab, application("papers-broker"))
    assert found.what == (
        "Namespace papers-broker-live and 1 more in HEAD leave the tree, and stay in the cluster without what Flux ran in them"
    )
    assert "keeps running" not in found.why
    assert typed([found]) == [
        "kubectl delete namespace papers-broker-live whoami-live",
        "kubectl delete serviceaccount app-papers-broker-live app-whoami-live -n flux-system",
    ]


def test_many_at_once_are_told_by_what_stays(homelab: Project) -> None:
    """Six with data, two releases, and the rest in one, before the commit and after it."""
    first, *names = re.findall(r"^    - name: (\S+)$", homelab.stack_file.read_text(), re.MULTILINE)
    for name in names:
        homelab.replace(homelab.stack_file.name, described(application(name)), "")
    for tree in ("HEAD", "HEAD~"):
        found = [one for one in homelab.run().findings if one.id == "moves/orphaned"]
        assert len(found) == 6 + 2 + 1
        assert all(f" in {tree} leave" in one.what for one in found)
        assert f"{first}-live" not in str(found)
        assert all("(which deletes the data)" in one.fix for one in found if "data of" in one.what)
        if tree == "HEAD":
            render(homelab)
            commit(homelab.root)


def test_a_chart_without_a_trace_of_claims_may_have_data(homelab: Project) -> None:
    """Only its templates tell, and Helm deletes what it made."""
    homelab.replace(homelab.stack_file.name, "{persistence: {enabled: true, size: 2Gi, storageClass: longhorn}}", "{}")
    homelab.replace(homelab.stack_file.name, ", values: {persistence: {size: 1Gi}}}", "}")
    render(homelab)
    commit(homelab.root)
    chart = application("tides").replace("{persistence: {enabled: true, size: 2Gi, storageClass: longhorn}}", "{}")
    found = without(homelab, chart.replace(", values: {persistence: {size: 1Gi}}}", "}"))
    assert len(found) == 2
    for one in found:
        assert "if any, and their data)" in one.fix
        assert "(which deletes what data is left)" in one.fix
        assert "what is in it keeps running" in one.why


def test_one_volume_leaves_its_claim(homelab: Project) -> None:
    """The namespace is still described."""
    [found] = without(homelab, "    - {name: media, size: 50Gi, mountPath: /usr/src/paperless/media}\n")
    assert (found.id, typed([found])) == ("moves/data-stays", ["kubectl delete persistentvolumeclaim papers-media -n papers-live"])


def test_an_environment_of_a_chart_leaves_the_other_alone(homelab: Project) -> None:
    """Only what is of it."""
    found = without(homelab, "    - {name: trial, version: 1.5.0, values: {persistence: {size: 1Gi}}}\n")
    assert len(found) == 1
    assert "tides-live" not in str(found)


_AS_IMAGE = """\
- name: tides
  image: registry.example.test/tides
  port: 80
  environments:
    - {name: live, tag: 1.4.0, route: {host: tides.home.arpa}}
"""


def test_a_chart_does_not_become_an_image_under_its_name(homelab: Project) -> None:
    """The release stays and has the Deployment; another selector is refused for it."""
    project, chart = homelab, described(application("tides"))
    project.replace(project.stack_file.name, chart, described(_AS_IMAGE))
    [found] = forms(project)
    assert "in tides-live is a chart in HEAD, and now an image" in found.what
    assert "the data copied" in found.fix
    project.replace(project.stack_file.name, "- {name: live, tag: 1.4.0", "- {name: home, tag: 1.4.0")
    assert not forms(project), "under another name it starts beside it"


def test_an_image_does_not_become_a_chart_under_its_name(homelab: Project) -> None:
    """Helm takes over nothing that it did not install."""
    chart = application("tides").replace("tides", "whoami")
    homelab.replace(homelab.stack_file.name, described(application("whoami")), described(chart))
    [found] = forms(homelab)
    assert "in whoami-live is an image in HEAD, and now a chart" in found.what


def forms(project: Project) -> list[Finding]:
    """What is told of a change of form."""
    return [one for one in project.run().findings if one.id == "applications/other-form"]


def test_the_page_has_the_commands_that_the_findings_have(homelab: Project) -> None:
    """Word for word."""
    page = set(re.findall(r"`(kubectl delete [^`]+)`", PAGE.read_text()))
    said = typed(without(homelab, "    - {name: media, size: 50Gi, mountPath: /usr/src/paperless/media}\n"))
    said += typed(without(homelab, application("tides")))
    rest = application("papers").replace("    - {name: media, size: 50Gi, mountPath: /usr/src/paperless/media}\n", "")
    said += typed(without(homelab, rest))
    assert page <= set(said)
    assert len(page) == 4
