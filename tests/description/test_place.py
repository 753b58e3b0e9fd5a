"""A project in a subfolder of its repository: Flux begins every path at the repository's root. With real Git repositories."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from fluxstead.checks.reading.applied_tree import AppliedTree
from fluxstead.core.findings import Finding, errors
from fluxstead.tree.delivery import deliver
from tests.conftest import REPOSITORY, Project, copy_description

FLUX = "  fluxstead:flux:\n"
pytestmark = pytest.mark.reference


def git(folder: Path, *words: str) -> str:
    """Git's answer, as somebody."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "protocol.file.allow=always"]
    return subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True).stdout


def project_in(repository: Path, place: str, directory: str | None = None) -> Project:
    """The reference cluster's description in a folder of a repository, with what it says of the place."""
    git(repository, "init", "-q")
    root = repository / place
    root.mkdir(parents=True, exist_ok=True)
    copy_description(REPOSITORY, root)
    project = Project(root, "k3s-flux")
    if directory is not None:
        project.replace("Pulumi.k3s-flux.yaml", FLUX, f"{FLUX}    directory: {directory}\n")
    return project


def said(project: Project) -> list[Finding]:
    """The errors."""
    return errors(project.run().findings)


def write(project: Project) -> AppliedTree:
    """`./run render`, against which nothing stands; gives what the checks see of it."""
    assembled = project.run().assembled
    assert assembled is not None
    assert not errors(assembled.findings)
    assert not deliver(assembled.desired(project.root, overwrite=False, say=print)).findings
    return assembled.applied


def paths_in(repository: Path) -> list[str]:
    """The paths of every Flux Kustomization that is written anywhere in the repository."""
    return [
        document["spec"]["path"]
        for file in repository.rglob("*.yaml")
        if "kustomize.toolkit.fluxcd.io" in file.read_text()
        for document in yaml.safe_load_all(file.read_text())
        if document["apiVersion"].startswith("kustomize.toolkit.fluxcd.io/")
    ]


@pytest.mark.parametrize("place", ["homelab", "infra/clusters/home", ".config/home"])
def test_every_path_of_the_tree_leads_somewhere_from_the_repositorys_root(place: str, tmp_path: Path) -> None:
    """Before, none did, and Flux applied nothing."""
    project = project_in(tmp_path, place, place)
    shutil.copytree(REPOSITORY / "examples/edge/apps", project.root / "apps")
    project.replace("Pulumi.k3s-flux.yaml", "  fluxstead:apps:\n", "  fluxstead:apps:\n    - {name: whoami, path: apps/whoami}\n")
    write(project)
    applied = write(project)
    paths = paths_in(tmp_path)
    assert len(paths) > 10
    assert f"./{place}/apps/whoami" in paths
    assert not [path for path in paths if not (tmp_path / path / "kustomization.yaml").is_file()]
    readme = (project.root / "generated/k3s-flux/README.md").read_text()
    assert f"--path {place}/clusters/k3s-flux\n" in readme
    # The checks see all of it, by its way from the entry.
    by_name = {one.name: one for one in applied.kustomizations.values()}
    assert by_name["whoami"].parent is by_name["apps"]
    assert by_name["apps"].parent is by_name["k3s-flux"]
    assert [item.document.path for item in applied.of("Deployment") if item.kustomization.name == "whoami"] == [
        "apps/whoami/deployment.yaml"
    ]


def test_the_checks_of_moves_compare_with_the_commit(tmp_path: Path) -> None:
    """The committed tree is read from the same place."""
    project = project_in(tmp_path, "homelab", "homelab")
    write(project)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "tree")
    assert not said(project)
    project.replace("Pulumi.k3s-flux.yaml", "version: 1.9.2 # reached", "version: 1.11.3 # reached")
    assert [finding.id for finding in said(project)] == ["moves/longhorn-version"]


def test_a_place_that_is_not_said_is_asked_for(tmp_path: Path) -> None:
    """With the line to write; what it says is then believed, or the project is a repository of its own."""
    project = project_in(tmp_path, "homelab")
    [finding] = said(project)
    assert (finding.id, finding.source.file) == ("flux/directory", "Pulumi.k3s-flux.yaml")
    assert "flux: {directory: homelab}" in finding.fix
    project.replace("Pulumi.k3s-flux.yaml", FLUX, f"{FLUX}    directory: ./homelab/\n")
    assert not said(project)
    project.replace("Pulumi.k3s-flux.yaml", "directory: ./homelab/", "directory: .")
    assert not said(project)
    write(project)
    assert "./generated/k3s-flux" in paths_in(tmp_path)
    project.replace("Pulumi.k3s-flux.yaml", "    directory: .\n", "")
    git(project.root, "init", "-q")
    assert not said(project)


@pytest.mark.parametrize(("place", "directory"), [("homelab", "elsewhere"), ("homelab", "homelab/home"), ("", "homelab")])
def test_a_place_that_git_knows_better_is_refused(place: str, directory: str, tmp_path: Path) -> None:
    """Whoever moves the project is told."""
    [finding] = said(project_in(tmp_path, place, directory))
    assert finding.id == "flux/directory"
    assert f"flux: {{directory: {place or '.'}}}" in finding.fix


@pytest.mark.parametrize("directory", ["../elsewhere", "/etc", "a//b", "a/../b", "a b"])
def test_a_place_that_is_none_is_refused(directory: str, tmp_path: Path) -> None:
    """Before anything is made of it."""
    [finding] = said(project_in(tmp_path, "homelab", directory))
    assert finding.id == "description/value"
    assert "is not a folder of a repository" in finding.what


def test_without_git_what_is_said_is_believed_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    """From a copy in a container, say."""
    (tmp_path / "repository").mkdir()
    inside = project_in(tmp_path / "repository", "homelab", "homelab")
    shutil.copytree(inside.root, tmp_path / "copy")
    write(inside)
    write(Project(tmp_path / "copy", "k3s-flux"))
    for path in inside.root.rglob("*"):
        assert path.is_dir() or path.read_bytes() == (tmp_path / "copy" / path.relative_to(inside.root)).read_bytes()


def test_a_worktree_and_a_submodule_are_repositories(tmp_path: Path) -> None:
    """Both have a file `.git`; of a submodule, Flux may read the repository around it, if that is said."""
    main = tmp_path / "main"
    main.mkdir()
    project = project_in(main, "homelab", "homelab")
    write(project)
    git(main, "add", "-A")
    git(main, "commit", "-qm", "tree")
    git(main, "worktree", "add", "-q", str(tmp_path / "worktree"))
    assert not said(Project(tmp_path / "worktree/homelab", "k3s-flux"))
    around = tmp_path / "around"
    around.mkdir()
    git(around, "init", "-q")
    git(around, "submodule", "--quiet", "add", str(main), "sub")
    inner = Project(around / "sub/homelab", "k3s-flux")
    assert not said(inner)
    inner.replace("Pulumi.k3s-flux.yaml", "directory: homelab", "directory: sub/homelab")
    shutil.rmtree(inner.root / "clusters")
    assert "flux/directory" not in {finding.id for finding in said(inner)}


def test_a_flux_that_begins_at_the_repositorys_root_is_warned_of(tmp_path: Path) -> None:
    """It would never look into the project's folder."""
    project = project_in(tmp_path, "homelab", "homelab")
    assert "flux/begins-elsewhere" not in {finding.id for finding in project.run().findings}
    (tmp_path / "clusters/k3s-flux/flux-system").mkdir(parents=True)
    [finding] = [one for one in project.run().findings if one.id == "flux/begins-elsewhere"]
    assert finding.fix.endswith("--path homelab/clusters/k3s-flux")
    (project.root / "clusters/k3s-flux/flux-system").mkdir(parents=True)
    assert "flux/begins-elsewhere" not in {finding.id for finding in project.run().findings}


def test_an_entry_of_the_wrong_place_is_refused(tmp_path: Path) -> None:
    """As earlier versions wrote it."""
    project = project_in(tmp_path, "homelab", "homelab")
    write(project)
    project.replace("clusters/k3s-flux/tree.yaml", "./homelab/generated", "./generated")
    [finding] = said(project)
    assert (finding.id, finding.fix) == ("tree/entry", "path: ./homelab/generated/k3s-flux")


def test_the_example_lies_in_our_repository_and_says_that_it_is_one_of_its_own() -> None:
    """Its paths are those of a repository that it is the root of."""
    assert not said(Project(REPOSITORY / "examples/edge", "edge"))
