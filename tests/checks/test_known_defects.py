"""Releases that are known to be broken: which, where it is told, and what has the fix."""

from __future__ import annotations

import pytest

from fluxstead.catalog.chart_values import versions_known
from fluxstead.catalog.defects import OF_CHARTS, defects_of
from fluxstead.core.findings import Finding, Severity
from fluxstead.core.version import Version
from tests.checks.planted import HOME, PLACES, Planted, layer, look, machine, obj, release
from tests.conftest import Project

SERVERS = [machine(disks=[]), machine(name="k3s2", address="192.168.86.72", disks=[])]


def told(project: Project) -> list[Finding]:
    """The warnings about releases."""
    return [finding for finding in project.run().findings if finding.id == "versions/known-defect"]


def test_of_what_is_described_it_is_told_at_the_versions_line(reference: Project) -> None:
    """Longhorn 1.9.0 fails the very jobs that make backups."""
    reference.replace(reference.stack_file.name, "version: 1.9.2", "version: 1.9.0")
    [finding] = told(reference)
    assert finding.severity is Severity.WARNING
    assert "version: 1.9.0" in (reference.root / finding.source.file).read_text().splitlines()[finding.source.line - 1]
    assert "longhorn/longhorn#11016" in finding.why
    assert finding.fix.startswith("1.9.2")


def test_the_release_with_the_fix_is_quiet(reference: Project) -> None:
    """The advice is enough."""
    assert not told(reference)


def test_a_controller_that_any_pod_can_take_over_is_told(reference: Project) -> None:
    """At its own version."""
    reference.replace(reference.stack_file.name, "version: 4.12.3", "version: 4.11.4")
    [ingress] = told(reference)
    assert "CVE-2025-1974" in ingress.what
    assert ingress.fix == "4.15.1, its last; 4.11.5 is the first release without it"
    [retired] = [one for one in reference.run().findings if one.id == "ingress/retired"]
    assert "4.15.1" in retired.fix


@pytest.mark.parametrize(
    ("chart", "version", "defects"),
    [
        ("longhorn", "1.6.2", 1),
        ("longhorn", "1.7.3", 0),
        ("longhorn", "1.8.1", 1),
        ("longhorn", "1.9.1", 1),
        ("longhorn", "1.11.0", 1),
        ("longhorn", "v1.11.1", 0),
        ("ingress-nginx", "4.12.1", 0),
        ("ingress-nginx", "4.11.6", 0),
        ("kube-prometheus-stack", "75.6.0", 0),
    ],
)
def test_what_is_known_of_a_release(chart: str, version: str, defects: int) -> None:
    """By the tracker of the project itself."""
    assert len(defects_of(chart, Version(version))) == defects


def test_the_fix_is_a_release_that_exists_and_has_no_other_defect() -> None:
    """Nobody is sent from one into the next."""
    for chart, defects in OF_CHARTS.items():
        for defect in defects:
            assert defect.cure in versions_known(chart)
            assert not defects_of(chart, Version(defect.cure))


@pytest.mark.parametrize(("version", "servers", "found"), [("v1.33.7+k3s1", 2, 1), ("v1.33.7+k3s1", 1, 0), ("v1.33.8+k3s1", 2, 0)])
def test_k3s_with_several_servers_may_not_survive_the_step_to_1_34(version: str, servers: int, found: int) -> None:
    """One server keeps its data in SQLite."""
    platform = type(HOME)(cluster="home", flux=HOME.flux, kubernetes=Version(version))
    files = layer("web", obj("Namespace", "web"))
    planted = Planted(files=files, cure=("", ""), says="", platform=platform, nodes=SERVERS[:servers], more={"places": PLACES})
    findings = [finding for finding in look(planted, files) if finding.id == "versions/known-defect"]
    assert [finding.source for finding in findings] == [PLACES["version"]] * found


def test_what_people_wrote_is_told_in_their_file() -> None:
    """And a range is none of these releases."""
    for version, found in (("1.11.0", 1), ("'>=1.11.0'", 0)):
        files = layer("storage", obj("Namespace", "longhorn-system"), release("longhorn-system/longhorn", "longhorn", version))
        findings = [
            one
            for one in look(Planted(files=files, cure=("", ""), says="", platform=None), files)
            if one.id == "versions/known-defect"
        ]
        assert [finding.source.file for finding in findings] == ["storage/objects.yaml"] * found
