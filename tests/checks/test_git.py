"""Where Git cannot give the previous state, a finding says so: silence would pass for consent (F27)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.checks.planted import obj
from tests.checks.repository import as_somebody, commit, git, moves, render
from tests.conftest import REFERENCE, REPOSITORY, Project, copy_description, skip_without_reference

pytestmark = pytest.mark.usefixtures("somebody")
RELEASE = "infrastructure/longhorn/helm-release-longhorn.yaml"


def unchecked(project: Project) -> list[str]:
    assembled = project.run().assembled
    assert assembled is not None
    return [line.text.removeprefix("not checked: ") for line in assembled.remarks if "chart" not in line.text]


def spoil(project: Project) -> None:
    """A move that must be refused where the past is known: Longhorn goes up by three minors."""
    project.replace(project.stack_file.name, "version: 1.9.2 # reached", "version: 1.12.1 # reached")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference cluster in a repository, with two commits; to be copied, never to be changed."""
    skip_without_reference()
    root = tmp_path_factory.mktemp("repository")
    copy_description(REPOSITORY, root)
    with pytest.MonkeyPatch.context() as monkeypatch:
        as_somebody(monkeypatch, tmp_path_factory.mktemp("home"))
        git(root, "init", "-q", "-b", "main")
        render(Project(root, REFERENCE))
        commit(root)
        (root / "notes.txt").write_text("a\n")
        commit(root)
    return root


@pytest.fixture
def committed(repository: Path, tmp_path: Path) -> Project:
    """A repository like it for one test."""
    shutil.copytree(repository, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path, REFERENCE)


@pytest.fixture
def pushed(committed: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same repository, pushed to an upstream that `clone` can use."""
    upstream = tmp_path_factory.mktemp("upstream") / "home.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(upstream)], check=True)
    git(upstream, "config", "uploadpack.allowFilter", "true")
    git(committed.root, "remote", "add", "origin", f"file://{upstream}")
    git(committed.root, "push", "-qu", "origin", "main")
    return committed


def clone(project: Project, target: Path, *options: str) -> Project:
    url = git(project.root, "remote", "get-url", "origin")
    subprocess.run(["git", "clone", "-q", *options, url, str(target)], check=True, capture_output=True)
    return Project(target, project.stack)


def test_without_git_a_repository_is_an_error(committed: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The jump of three minors would go out."""
    spoil(committed)
    assert [finding.id for finding in moves(committed)] == ["moves/longhorn-version"]
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    [finding] = moves(committed)
    assert (finding.id, finding.what) == ("moves/unread", "there is no `git` on the PATH")
    assert "install" in finding.fix


def test_without_git_and_without_a_repository_nothing_is_refused(reference: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to compare with; that is listed under what was not checked."""
    monkeypatch.setenv("PATH", "")
    assert not moves(reference)
    assert unchecked(reference) == ["what this commit would prune or move: the folder is not in a Git repository"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_of_somebody_else_is_an_error(committed: Project) -> None:
    """Git's "dubious ownership"; what is said to type is typed, and cures it."""
    for path in (committed.root, committed.root / ".git"):
        os.chown(path, 12345, 12345)
    spoil(committed)
    [finding] = moves(committed)
    assert finding.id == "moves/unread"
    assert "belongs to somebody else" in finding.what
    subprocess.run(finding.fix.split("`")[1].split(), check=True)
    assert [finding.id for finding in moves(committed)] == ["moves/longhorn-version"]


def test_a_shallow_clone_is_an_error_until_it_is_whole(pushed: Project, tmp_path: Path) -> None:
    """CI systems clone like this by default."""
    shallow = clone(pushed, tmp_path / "clone", "--depth", "1")
    [finding] = moves(shallow)
    assert "shallow" in finding.what
    git(shallow.root, *finding.fix.split("`")[1].split()[1:])
    assert not moves(shallow)
    assert not unchecked(shallow)


def test_a_clone_of_two_commits_has_what_is_compared(pushed: Project, tmp_path: Path) -> None:
    """Shallow, and deep enough."""
    shallow = clone(pushed, tmp_path / "clone", "--depth", "2")
    assert not moves(shallow)
    spoil(shallow)
    assert [finding.id for finding in moves(shallow)] == ["moves/longhorn-version"]


def test_the_first_commit_has_none_before_it(reference: Project) -> None:
    """A first commit is not a shallow clone, and a branch without commits is not a broken repository."""
    git(reference.root, "init", "-q", "-b", "main")
    assert not moves(reference)
    assert unchecked(reference) == ["what this commit would prune or move: it is the first on its branch"]
    render(reference)
    commit(reference.root)
    assert not moves(reference)
    spoil(reference)
    assert [finding.id for finding in moves(reference)] == ["moves/longhorn-version"]


def test_a_partial_clone_is_an_error_and_is_not_filled_over_the_network(pushed: Project, tmp_path: Path) -> None:
    """Git would fetch each missing file over the network on its own."""
    partial = clone(pushed, tmp_path / "clone", "--filter=blob:none", "--no-checkout")
    shutil.copytree(pushed.root, partial.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    spoil(partial)
    assert "moves/unread" not in {finding.id for finding in moves(pushed)}
    # What is as it was committed is read from the disk; a file that was edited since is asked of Git.
    entry = partial.root / "clusters/k3s-flux/tree.yaml"
    entry.write_text(entry.read_text() + "# edited\n")
    [finding] = [one for one in moves(partial) if one.id == "moves/unread"]
    assert "not in this clone" in finding.what
    git(partial.root, *finding.fix.split("`")[1].split()[1:])
    assert "moves/unread" not in {finding.id for finding in moves(partial)}


def test_a_detached_head_is_compared_with_the_branch_that_flux_syncs(pushed: Project) -> None:
    """Two rungs in two commits, of which none is pushed."""
    pushed.replace(pushed.stack_file.name, "version: 1.9.2 # reached", "version: 1.10.2 # reached")
    render(pushed)
    git(pushed.root, "checkout", "-q", "--detach")
    commit(pushed.root)
    pushed.replace(pushed.stack_file.name, "version: 1.10.2 # reached", "version: 1.11.3 # reached")
    assert [finding.what for finding in moves(pushed)] == [
        "Longhorn 1.9.2 in origin/main becomes 1.11.3, more than one minor release at once"
    ]
    git(pushed.root, "update-ref", "-d", "refs/remotes/origin/main")
    assert not moves(pushed)
    assert unchecked(pushed) == ["what is pushed: HEAD is not on a branch (`git switch BRANCH`)"]


def test_a_branch_of_its_own_is_compared_with_the_branch_that_flux_syncs(pushed: Project) -> None:
    """The branch has no upstream."""
    git(pushed.root, "switch", "-qc", "try")
    pushed.replace(pushed.stack_file.name, "version: 1.9.2 # reached", "version: 1.10.2 # reached")
    render(pushed)
    commit(pushed.root)
    pushed.replace(pushed.stack_file.name, "version: 1.10.2 # reached", "version: 1.11.3 # reached")
    assert any("in origin/main becomes 1.11.3" in finding.what for finding in moves(pushed))


def test_an_upstream_that_is_not_here_is_an_error(pushed: Project) -> None:
    """What is pushed cannot be known."""
    git(pushed.root, "update-ref", "-d", "refs/remotes/origin/main")
    [finding] = moves(pushed)
    assert finding.what == "HEAD follows origin/main, which is not in this clone"
    git(pushed.root, *finding.fix.split("`")[1].split()[1:])
    assert not moves(pushed)


def test_without_a_remote_what_is_pushed_is_not_checked(committed: Project) -> None:
    """Before Flux is bootstrapped there is none."""
    assert not moves(committed)
    assert [line.partition(":")[0] for line in unchecked(committed)] == ["what is pushed"]


@pytest.mark.parametrize("broken", ["index", "head", "branch", "objects", "gitdir", "empty", "file"])
def test_what_is_broken_in_the_repository_is_said(committed: Project, broken: str) -> None:
    """Never a traceback, and never silence; the index alone is not needed."""
    folder = committed.root / ".git"
    if broken == "index":
        (folder / "index").write_bytes(b"DIRCgarbage")
    elif broken == "head":
        (folder / "HEAD").write_text("garbage\n")
    elif broken == "branch":
        (folder / "refs/heads/main").write_text("0123\n")
    elif broken == "objects":
        shutil.rmtree(folder / "objects")
        (folder / "objects").mkdir()
    else:
        shutil.rmtree(folder)
        if broken == "empty":
            folder.mkdir()
        else:
            folder.write_text("gitdir: /nowhere/at/all\n" if broken == "gitdir" else "garbage\n")
    spoil(committed)
    ids = {finding.id for finding in moves(committed)}
    assert ids == ({"moves/longhorn-version"} if broken == "index" else {"moves/unread"})


def test_an_empty_git_folder_is_not_taken_for_the_repository_around_it(committed: Project) -> None:
    """Git goes on upwards, and would compare with the files of another folder."""
    inner = committed.root / "inner"
    shutil.copytree(committed.root, inner, ignore=shutil.ignore_patterns(".git", "inner"))
    (inner / ".git").mkdir()
    [finding] = moves(Project(inner, committed.stack))
    assert "is not a Git repository" in finding.what


def test_a_worktree_and_a_folder_of_the_repository_are_compared(committed: Project, tmp_path: Path) -> None:
    """A `.git` that is a file; and a project below the repository's root."""
    other = tmp_path / "elsewhere"
    git(committed.root, "worktree", "add", "-q", str(other), "-b", "other")
    inside = committed.root / "home"
    shutil.copytree(committed.root, inside, ignore=shutil.ignore_patterns(".git", "home"))
    commit(committed.root)
    for project in (Project(other, committed.stack), Project(inside, committed.stack)):
        spoil(project)
        assert [finding.id for finding in moves(project)] == ["moves/longhorn-version"]


def test_what_a_hook_says_of_another_repository_is_not_heard(
    committed: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Git runs its hooks with the place of its own repository in the environment: of another one, nothing would be compared."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    (other / "a.txt").write_text("a\n")
    commit(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    spoil(committed)
    assert [finding.id for finding in moves(committed)] == ["moves/longhorn-version"]


def test_a_submodule_is_not_checked(committed: Project, tmp_path: Path) -> None:
    """Its files are in commits of its own, which nobody compares."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    (other / "ns.yaml").write_text(obj("Namespace", "site"))
    commit(other)
    git(committed.root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "apps/site")
    committed.replace(committed.stack_file.name, "  fluxstead:apps:\n", "  fluxstead:apps:\n    - {name: site, path: apps/site}\n")
    render(committed)
    commit(committed.root)
    assert any("in apps/site: it is a submodule" in line for line in unchecked(committed))


def test_a_release_that_was_deleted_by_hand_and_committed_is_reported(committed: Project) -> None:
    """Its file and its line in the list are gone, and Flux leaves it in the cluster, as it is told; a render cures it."""
    tree = render(committed)
    (tree / RELEASE).unlink()
    listing = tree / "infrastructure/longhorn/kustomization.yaml"
    listing.write_text(listing.read_text().replace("- helm-release-longhorn.yaml\n", ""))
    commit(committed.root)
    [finding] = moves(committed)
    assert finding.id == "moves/orphaned"
    assert finding.what.startswith("HelmRelease longhorn-system/longhorn in HEAD~ leaves the tree")
    assert "./run render" in finding.fix
    git(committed.root, "checkout", "HEAD~", "--", str(tree))
    commit(committed.root)
    assert not moves(committed)
