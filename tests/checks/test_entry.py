"""`clusters/<cluster>/tree.yaml`: the operator's own, and all that Flux knows of the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fluxstead.core.findings import Finding, errors
from fluxstead.tree.delivery import deliver
from tests.conftest import REFERENCE, REPOSITORY, Project, copy_description, skip_without_reference

ENTRY = "clusters/k3s-flux/tree.yaml"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The reference cluster with its tree; to be copied, never to be changed."""
    skip_without_reference()
    project = Project(tmp_path_factory.mktemp("once"), REFERENCE)
    copy_description(REPOSITORY, project.root)
    write(project)
    return project


@pytest.fixture(scope="module")
def before(once: Project) -> frozenset[Finding]:
    """What is found in it before a test changes anything."""
    return frozenset(once.run().findings)


@pytest.fixture
def written(once: Project, tmp_path: Path) -> Project:
    """A copy of it for one test."""
    shutil.copytree(once.root, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path, REFERENCE)


def write(project: Project) -> None:
    """`./run render`."""
    assembled = project.run().assembled
    assert assembled is not None
    assert not errors(deliver(assembled.desired(project.root, overwrite=False, say=print)).findings)


def said(project: Project) -> list[Finding]:
    """The errors of the description and of what is written."""
    return errors(project.run().findings)


def other(name: str, path: str) -> str:
    """Another Kustomization of a part of the tree."""
    return (
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: {name}, namespace: flux-system}}\n"
        f"spec: {{interval: 10m, path: {path}, prune: true, sourceRef: {{kind: GitRepository, name: flux-system}}}}\n"
    )


def test_as_fluxstead_writes_it_nothing_is_said(written: Project) -> None:
    """And what a person may well add."""
    assert not said(written)
    written.replace(ENTRY, "  wait: false\n", "  wait: true\n  suspend: true\n  force: false\n")
    written.replace(ENTRY, "path: ./generated/k3s-flux", "path: generated//k3s-flux/")
    written.replace(ENTRY, "  prune: true\n", "  prune: false\n  targetNamespace: flux-system\n")
    with (written.root / ENTRY).open("a") as file:
        file.write("---\n# nothing more\n")
    assert not said(written)


EDITS = {
    "part": ("./generated/k3s-flux", "./generated/k3s-flux/infrastructure", 14, "a part of the tree", "path: ./generated/k3s-flux"),
    "above": ("./generated/k3s-flux", "./generated", 14, "another directory, ./generated", "path: ./generated/k3s-flux"),
    "root": ("  path: ./generated/k3s-flux\n", "", 2, "another directory, the whole repository", "path: ./generated/k3s-flux"),
    "outside": ("./generated/k3s-flux", "../generated/k3s-flux", 14, "another directory", "path: ./generated/k3s-flux"),
    "target": ("  prune: true", "  targetNamespace: apps\n  prune: true", 15, "into the namespace apps", "no targetNamespace"),
    "prefix": ("  prune: true", "  namePrefix: x-\n  prune: true", 15, "with namePrefix x-", "no namePrefix"),
    "suffix": ("  prune: true", "  nameSuffix: -x\n  prune: true", 15, "with nameSuffix -x", "no nameSuffix"),
    "source": ("    name: flux-system", "    name: fleet", 11, "GitRepository flux-system/fleet", "name: flux-system"),
    "kind": ("kind: GitRepository", "kind: OCIRepository", 11, "OCIRepository flux-system/flux-system", "kind: GitRepository"),
    "namespace": ("namespace: flux-system", "namespace: apps", 11, "GitRepository apps/flux-system", "name: flux-system"),
    "cluster": ("  prune: true", "  kubeConfig: {secretRef: {name: x}}\n  prune: true", 15, "another cluster", "no kubeConfig"),
    "no spec": ("spec:\n", "spec: {}\nother:\n", 15, "the whole repository", "path: ./generated/k3s-flux"),
    "group": ("kustomize.toolkit.fluxcd.io/v1", "kustomize.config.k8s.io/v1beta1", 2, "not a Flux Kustomization", "delete it"),
    "name": ("  name: k3s-flux\n", "", 2, "not a Flux Kustomization", "delete it"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_one_that_would_let_flux_prune_the_tree_is_refused_at_its_line(
    edit: str, written: Project, before: frozenset[Finding]
) -> None:
    """With what to write; and the other checks go on as if it were right."""
    old, new, line, what, write_ = EDITS[edit]
    written.replace(ENTRY, old, new)
    found = set(written.run().findings)
    assert before < found, "the checks of the tree go on"
    [first] = [finding for finding in found - before if what in finding.what]
    assert {finding.id for finding in found - before} == {"tree/entry"}
    assert (first.source.file, first.source.line) == (ENTRY, line)
    assert write_ in first.fix


WHOLE = {
    "empty": ("", "it is empty"),
    "of comments": ("# nothing\n---\n", "it is empty"),
    "of marks": ("<<<<<<< HEAD\na: 1\n=======\nb: 1\n>>>>>>> x\n", "it is not YAML"),
    "of another kind": ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "not a Flux Kustomization"),
    "of a list": ("- a\n- b\n", "not a Flux Kustomization"),
    "of parts": (
        other("infrastructure", "./generated/k3s-flux/infrastructure") + other("apps", "./generated/k3s-flux/apps"),
        "there are 2 documents in it",
    ),
    "of it and more": (other("k3s-flux", "./generated/k3s-flux") + other("mine", "./mine"), "there are 2 documents in it"),
    "nested": ("[" * 30_000, "it is not YAML"),
}


@pytest.mark.parametrize("whole", WHOLE)
def test_one_that_is_none_is_refused_and_no_other_check_is_switched_off(
    whole: str, written: Project, before: frozenset[Finding]
) -> None:
    """An empty entry used to be read as a tree without objects, in which no check finds anything."""
    text, what = WHOLE[whole]
    (written.root / ENTRY).write_text(text)
    found = set(written.run().findings)
    assert "ingress/retired" in {finding.id for finding in before}
    assert before < found, "the checks of the tree go on"
    [finding] = found - before
    assert (finding.id, finding.source.file) == ("tree/entry", ENTRY)
    assert what in finding.what
    assert finding.fix


def test_bytes_that_are_no_text_are_one_finding(written: Project) -> None:
    """The cause alone."""
    (written.root / ENTRY).write_bytes(b"\xff\xfe\x00k")
    [finding] = said(written)
    assert (finding.id, finding.source.file) == ("tree/unreadable", ENTRY)
    assert "not UTF-8 text" in finding.what


@pytest.mark.parametrize("folder", ["clusters/k3s-flux", "clusters/k3s-flux/more"])
def test_a_pipe_among_the_manifests_is_not_waited_for(folder: str, written: Project) -> None:
    """Reading it would never end."""
    (written.root / folder).mkdir(exist_ok=True)
    os.mkfifo(written.root / folder / "pipe.yaml")
    [finding] = said(written)
    assert (finding.id, finding.source.file) == ("tree/unreadable", f"{folder}/pipe.yaml")


def test_a_kustomization_that_leaves_it_out_is_refused(written: Project) -> None:
    """Flux takes a folder's kustomization instead of its files, and would prune the tree."""
    listing = written.root / "clusters/k3s-flux/kustomization.yaml"
    head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:"
    listing.write_text(f"{head} []\n")
    [finding] = said(written)
    assert (finding.id, finding.source.file) == ("tree/entry", "clusters/k3s-flux/kustomization.yaml")
    assert "tree.yaml" in finding.fix
    listing.write_text(f"{head} [tree.yaml]\n")
    assert not said(written)


def test_a_kustomization_that_makes_another_one_of_it_is_refused(written: Project) -> None:
    """The result of the kustomization counts, not the text of the file."""
    listing = written.root / "clusters/k3s-flux/kustomization.yaml"
    head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [tree.yaml]"
    listing.write_text(f"{head}\nnamespace: apps\n")
    found = [finding for finding in said(written) if finding.id == "tree/entry"]
    assert [finding.source.file for finding in found] == ["clusters/k3s-flux/kustomization.yaml"]
    assert "GitRepository apps/flux-system" in found[0].what
    listing.write_text(f"{head}\ncommonAnnotations: {{a: b}}\n")
    assert not said(written)


def test_one_that_is_renamed_after_a_commit_is_refused(written: Project) -> None:
    """Flux would delete the old root, and all groups with it, before the new one has them. Its first name is anybody's choice."""
    written.replace(ENTRY, "  name: k3s-flux\n", "  name: root\n")
    assert not said(written)
    git = ["git", "-C", str(written.root), "-c", "user.name=a", "-c", "user.email=a@example.test"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "tree"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    assert not said(written)
    written.replace(ENTRY, "  name: root\n", "  name: k3s-flux\n")
    [finding] = said(written)
    assert finding.id == "tree/entry"
    assert "flux-system/root in HEAD, and now flux-system/k3s-flux" in finding.what


def test_emptied_after_a_commit_it_is_the_only_finding(written: Project) -> None:
    """Not that every machine has left the tree: followed, that advice would empty the cluster."""
    git = ["git", "-C", str(written.root), "-c", "user.name=a", "-c", "user.email=a@example.test"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "tree"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    (written.root / ENTRY).write_text("")
    assert [finding.id for finding in said(written)] == ["tree/entry"]


def test_what_is_to_be_written_is_enough(written: Project) -> None:
    """As the finding says: remove the file, then `./run render`."""
    text = (written.root / ENTRY).read_text()
    (written.root / ENTRY).unlink()
    write(written)
    assert (written.root / ENTRY).read_text() == text
    assert not said(written)


def test_it_is_never_changed_once_it_is_there(written: Project, tmp_path: Path) -> None:
    """It is the operator's."""
    written.replace(ENTRY, "  interval: 10m", "  interval: 3m # mine")
    written.replace("Pulumi.k3s-flux.yaml", "retention: 10d", "retention: 15d")
    write(written)
    assert "interval: 3m # mine" in (tmp_path / ENTRY).read_text()
