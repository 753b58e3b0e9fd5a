"""How far files came, read from real repositories with plain git."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from fluxstead.live.delivered import Delivered, delivered
from fluxstead.tree.delivery import Desired, deliver

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
APP = "generated/home/app.yaml"


class Clone:
    """A project with one generated file, which is pushed."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.remote = folder / "remote.git"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.remote))
        git(folder, "clone", "--quiet", str(self.remote), str(self.root))
        git(self.root, "switch", "--quiet", "--orphan", "main")
        self.render("one")
        self.first = self.commit()
        git(self.root, "push", "--quiet", "--set-upstream", "origin", "main")

    def render(self, text: str) -> None:
        """`./run render`."""
        assert not deliver(self.desired(text)).findings

    def desired(self, text: str) -> Desired:
        """A tree of one file."""
        return Desired(self.root, "home", "generated/home", "", {"app.yaml": f"a: {text}\n"}, overwrite=False, say=str)

    def commit(self) -> str:
        """All there is; gives it as Flux names it."""
        git(self.root, "add", "--all")
        git(self.root, *AUTHOR, "commit", "--quiet", "--allow-empty", "--message=more")
        return f"main@sha1:{git(self.root, 'rev-parse', 'HEAD')}"

    def seen(self, text: str, fetched: str, applied: Sequence[str] = ()) -> Delivered:
        """What is said of it."""
        return delivered(self.desired(text), "main", (), fetched, applied)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_what_arrived_lacks_nothing(clone: Clone) -> None:
    found = clone.seen("one", clone.first, [clone.first])
    assert (found.stale, found.uncommitted, found.unpushed, found.unread) == ((), (), (), "")
    assert found.pushed == "origin/main"
    assert found.learnt is not None
    assert found.revisions[clone.first] == found.fetched
    assert (found.fetched.known, found.fetched.in_head, found.fetched.in_pushed) == (True, True, True)
    assert not found.on_its_way


def test_each_step_names_its_files(clone: Clone) -> None:
    """Described, rendered, committed, pushed."""
    assert clone.seen("two", clone.first).stale == (f"update {APP}",)
    clone.render("two")
    assert clone.seen("two", clone.first).uncommitted[0] == APP
    clone.commit()
    found = clone.seen("two", clone.first)
    assert (found.uncommitted, found.unpushed[0], found.fetched.pushed) == ((), APP, ())
    git(clone.root, "push", "--quiet")
    found = clone.seen("two", clone.first)
    assert (found.unpushed, found.fetched.pushed[0]) == ((), APP)


def test_files_that_flux_does_not_apply_do_not_count(clone: Clone) -> None:
    (clone.root / "notes.txt").write_text("a\n")
    assert clone.seen("one", clone.first).uncommitted == ()
    clone.commit()
    assert clone.seen("one", clone.first).unpushed == ()


def test_ciphertext_counts_if_a_layer_refers_to_it(clone: Clone) -> None:
    """What is kept for people alone never reaches the cluster."""
    for folder in ("secrets/home/operator", "secrets/home/dns"):
        (clone.root / folder).mkdir(parents=True)
        (clone.root / folder / "a.sops.yaml").write_text("a: ENC[]\n")
    assert clone.seen("one", clone.first).uncommitted == ("secrets/home/dns/a.sops.yaml",)


def test_of_a_file_that_was_edited_by_hand_it_says_so_and_not_what_a_render_would_do(clone: Clone) -> None:
    (clone.root / APP).write_text("a: mine\n")
    found = clone.seen("two", clone.first)
    assert found.stale == ()
    assert found.edited == (APP,)
    assert found.unread == ""
    assert found.on_its_way
    assert found.uncommitted == (APP,)
    added = "generated/home/mine.yaml"
    (clone.root / added).write_text("a: mine\n")
    assert set(clone.seen("two", clone.first).edited) == {APP, added}


def test_a_clone_that_is_behind_has_nothing_unpushed(clone: Clone) -> None:
    clone.render("two")
    second = clone.commit()
    git(clone.root, "push", "--quiet")
    git(clone.root, "reset", "--quiet", "--hard", "HEAD~")
    found = clone.seen("one", second)
    assert found.unpushed == ()
    assert (found.fetched.known, found.fetched.in_head, found.fetched.head[0]) == (True, False, APP)


def test_another_branch_is_compared_with_the_one_that_flux_syncs(clone: Clone) -> None:
    """Somebody works on a change, and has pushed it for others to look at."""
    git(clone.root, "switch", "--quiet", "--create", "change")
    clone.render("two")
    clone.commit()
    git(clone.root, "push", "--quiet", "--set-upstream", "origin", "change")
    found = clone.seen("two", clone.first)
    assert (found.pushed, found.unpushed[0], found.fetched.pushed) == ("origin/main", APP, ())


@pytest.mark.parametrize("revision", ["", "main", "main@sha1:1", f"main@sha1:{'0' * 40}", "main@sha1:--upload-pack"])
def test_a_revision_that_is_not_here_is_not_known(clone: Clone, revision: str) -> None:
    assert not clone.seen("one", revision).fetched.known


def test_where_history_is_cut_off_nothing_is_said_of_it(clone: Clone, tmp_path: Path) -> None:
    """A CI's clone, and what Flux fetched is on a branch that is not its own."""
    git(clone.root, "switch", "--quiet", "--create", "other")
    clone.render("two")
    clone.commit()
    git(clone.root, "push", "--quiet", "origin", "other")
    second = f"main@sha1:{git(clone.root, 'rev-parse', 'HEAD')}"
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{clone.remote}", str(shallow))
    clone.root = shallow
    found = clone.seen("one", second)
    assert not found.fetched.known
    assert found.pushed == "origin/main"


def test_without_git_and_without_a_commit_it_says_why(tmp_path: Path) -> None:
    desired = Desired(tmp_path, "home", "generated/home", "", {"app.yaml": "a: one\n"}, overwrite=False, say=str)
    assert "not in a Git repository" in delivered(desired, "main", (), "", ()).unread
    git(tmp_path, "init", "--quiet")
    found = delivered(desired, "main", (), f"main@sha1:{'0' * 40}", ())
    assert "first on its branch" in found.unread
    assert found.stale


def test_without_a_remote_it_is_compared_with_what_flux_fetched(clone: Clone) -> None:
    """Flux reads the repository from where it is."""
    git(clone.root, "remote", "remove", "origin")
    assert clone.seen("one", clone.first).unread == ""
    clone.render("two")
    clone.commit()
    found = clone.seen("two", clone.first)
    assert found.fetched.head[0] == APP
    assert "upstream" in found.unread


def test_what_flux_has_is_pushed_though_this_clone_did_not_see_it(clone: Clone) -> None:
    """By the repository's address, which leaves no trace at its name."""
    clone.render("two")
    second = clone.commit()
    git(clone.root, "push", "--quiet", f"file://{clone.remote}", "main")
    assert clone.seen("two", second).unpushed == ()
