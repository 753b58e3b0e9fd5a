"""What takes more than the files: chart repositories over the loopback, and kustomize."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fluxstead.checks.outside.evidence import Outside, Session
from fluxstead.checks.outside.rules import RULES as OF_OUTSIDE
from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.store import DiskStore
from fluxstead.checks.rule import Remark, run
from fluxstead.cli.__main__ import main
from fluxstead.core.findings import Finding
from tests.checks.chart_repository import serving_charts
from tests.checks.planted import WEB, layer, release


@pytest.fixture
def repository() -> Iterator[str]:
    """A chart repository of this machine's own."""
    with serving_charts() as address:
        yield address


def looked_up(root: Path, chart: str, version: str, url: str, *, online: bool = True) -> tuple[list[Finding], list[str]]:
    """What is found of one pinned chart, and what was not checked."""
    for path, text in layer("web", WEB, release("web/site", chart, version)).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text.replace("https://charts.example.test", url))
    return asked(root, Session(None, online))


def asked(root: Path, session: Session) -> tuple[list[Finding], list[str]]:
    said = list(run(Outside(read_applied_tree(DiskStore(root), ["clusters/home"]), root, session), OF_OUTSIDE))
    return [one for one in said if isinstance(one, Finding)], [one.text for one in said if isinstance(one, Remark)]


def test_a_version_that_does_not_exist_is_told_with_the_nearest(repository: str, tmp_path: Path) -> None:
    """F4: longhorn 1.8.3 was never released."""
    [finding], _ = looked_up(tmp_path, "longhorn", "1.8.3", repository)
    assert (finding.id, finding.fix) == ("online/no-such-version", "1.8.2")
    assert "there is no longhorn 1.8.3" in finding.what


def test_versions_that_exist_and_charts_that_do_not(repository: str, tmp_path: Path) -> None:
    """A leading v is no difference to Helm."""
    assert not looked_up(tmp_path, "longhorn", "1.9.0", repository)[0]
    assert not looked_up(tmp_path, "cert-manager", "1.20.3", repository)[0]
    [finding], _ = looked_up(tmp_path, "longhor", "1.9.0", repository)
    assert finding.fix == "longhorn"


def test_a_repository_that_does_not_answer_is_no_finding(tmp_path: Path, repository: str) -> None:
    """It is listed under what was not checked instead."""
    found, unchecked = looked_up(tmp_path, "longhorn", "1.8.3", f"{repository}/nowhere")
    assert not found
    assert any("404" in line for line in unchecked)


def test_offline_it_is_said_what_was_not_checked(tmp_path: Path) -> None:
    """Nobody is asked."""
    found, unchecked = looked_up(tmp_path, "longhorn", "1.8.3", "https://charts.example.test", online=False)
    assert not found
    assert unchecked[1:] == ["not checked: whether chart longhorn 1.8.3 exists: ./run check --online asks its repository"]


@pytest.mark.parametrize(("status", "found"), [(0, []), (1, ["references/does-not-build"])])
def test_directories_that_people_wrote_are_built_where_kustomize_is(tmp_path: Path, status: int, found: list[str]) -> None:
    """A stand-in for kustomize: only its exit status and its first line count."""
    program = tmp_path / "kustomize"
    program.write_text(f"#!/bin/sh\necho 'Error: accumulating resources' >&2\nexit {status}\n")
    program.chmod(0o755)
    for path, text in {**layer("web", WEB), "web/kustomization.yaml": "resources: [objects.yaml]\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    findings, remarks = asked(tmp_path, Session(str(program), online=False))
    assert [finding.id for finding in findings] == found
    assert remarks == [f"built with {program}: web"]
    assert asked(tmp_path, Session(None, online=False)) == ([], ["read as files, because kustomize is not on the PATH: web"])


def test_a_tree_that_people_wrote_is_checked_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--tree` finds where Flux begins; findings have the file's own line."""
    for path, text in layer("web", WEB, release("web/site", "site", "'>=1.0.0'")).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert main(["check", "--tree", str(tmp_path), "--format", "github"]) == 1
    answer = capsys.readouterr()
    assert answer.out.startswith("::error file=web/objects.yaml,line=9,title=versions/range::")
    assert "clusters/home: " in answer.err
    assert main(["check", "--tree", str(tmp_path / "nowhere")]) == 2


def test_an_instance_of_another_repository_does_not_hide_the_clusters_of_this_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It begins in a directory that is not here."""
    instance = (
        "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux}\nspec: {sync: {path: clusters/far}}\n"
    )
    for path, text in {**layer("web", WEB), "docs/example.yaml": instance}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert main(["check", "--tree", str(tmp_path)]) == 0
    assert "clusters/home: " in capsys.readouterr().err
