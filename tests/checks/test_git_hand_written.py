"""Trees that people wrote are compared with their commits, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.checks.hand_written import clusters_in
from fluxstead.core.findings import Finding
from fluxstead.roster import SYSTEM_FACTS, judged
from tests.checks.planted import WEB, claim, kept, layer, obj, release
from tests.checks.repository import commit, git

pytestmark = pytest.mark.usefixtures("somebody")


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (kept(release("web/site", "site", "1.0.0")), "HelmRelease web/site"),
        (kept(obj("Namespace", "data")), "Namespace data"),
        (
            kept(obj("CustomResourceDefinition", "a.b.c", "spec: {group: b.c}", "apiextensions.k8s.io/v1")),
            "CustomResourceDefinition",
        ),
    ],
)
def test_what_is_deleted_from_a_tree_that_people_wrote_is_reported(tmp_path: Path, text: str, said: str, again: bool) -> None:
    """In the files on disk, and once it is committed."""
    files = layer("web", WEB, text)
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    assert not of_tree(tmp_path)
    (tmp_path / "web/objects.yaml").write_text(WEB)
    if again:
        commit(tmp_path)
    [finding] = of_tree(tmp_path)
    assert finding.id == "moves/orphaned"
    assert said in finding.what
    assert f"in {'HEAD~' if again else 'HEAD'} leaves the tree" in finding.what


def of_tree(root: Path) -> list[Finding]:
    return [
        said
        for past in clusters_in(root, SYSTEM_FACTS).values()
        for said in judged(past)
        if isinstance(said, Finding) and said.id.startswith("moves/")
    ]


def test_a_tree_that_people_wrote_is_compared_with_its_commits(tmp_path: Path) -> None:
    """Longhorn goes up by three minors; `prune` in what reconciles the first folder counts as well."""
    files = layer("longhorn", obj("Namespace", "longhorn-system"), release("longhorn-system/longhorn", "longhorn", "1.6.2"))
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    objects = tmp_path / "longhorn/objects.yaml"
    objects.write_text(objects.read_text().replace("1.6.2", "1.9.0"))
    assert [finding.id for finding in of_tree(tmp_path)] == ["moves/longhorn-version"]
    objects.write_text(WEB)
    assert {finding.id for finding in of_tree(tmp_path)} == {"moves/left"}


def test_what_the_source_ignores_was_never_applied_from_a_commit_either(tmp_path: Path) -> None:
    """By the `spec.ignore` of the GitRepository."""
    sync = (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\n"
        "spec: {interval: 1m, url: 'https://git.example.test/a.git', ignore: /clusters/home/skip.yaml}\n---\n"
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\n"
        "spec: {interval: 1m, path: ./clusters/home, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n"
    )
    files = {
        **layer("web", WEB),
        "clusters/home/skip.yaml": "\n---\n".join(
            [obj("Namespace", "skipped"), claim("1Gi").replace("namespace: web", "namespace: skipped")]
        ),
        "clusters/home/flux-system/gotk-sync.yaml": sync,
    }
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    assert not of_tree(tmp_path)
