"""A change reaches the branch and nothing else does; whatever is in the way is said, and nothing stays written after a refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fluxstead.live.running import plan
from tests.live.git_world import MACHINE, TEXT, WORDS, World, git

BLUE = TEXT.replace("red", "blue")
HOOK = "#!/bin/sh\necho 'nobody paints on Fridays' >&2\nexit 1\n"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A clone, its remote, and a Flux that has applied it."""
    return World(tmp_path, monkeypatch)


def test_the_change_is_written_rendered_committed_pushed_and_applied(world: World) -> None:
    said = list[str]()
    assert [one.well for one in world.paint(said=said)] == [True, True, True]
    assert world.tip == world.head
    assert (world.root / MACHINE).read_text() == BLUE
    shown = git(world.root, "show", "--format=%B", "--name-only", "HEAD")
    assert shown.startswith(f"Paint a blue\n\nSo it is found.\n\nFluxstead-Procedure: {WORDS}\n")
    assert shown.splitlines()[-4:] == [
        "generated/home/.fluxstead.json",
        "generated/home/colour/one.yaml",
        "generated/home/colour/two.yaml",
        MACHINE,
    ]
    assert world.changed() == []
    assert any("ask Flux to apply" in line for line in said)


def test_a_file_that_the_tree_has_no_more_goes_in_the_same_commit(world: World) -> None:
    world.paint()
    assert all(one.well for one in world.paint("red"))
    assert "D\tgenerated/home/colour/two.yaml" in git(world.root, "show", "--name-status", "HEAD")
    assert (world.changed(), (world.root / MACHINE).read_text()) == ([], TEXT)


def test_what_somebody_saves_while_it_looks_is_not_written_over(world: World) -> None:
    look, theirs = world.written.look, TEXT.replace("size: 1", "size: 7")

    def looking() -> None:
        look()
        (world.root / MACHINE).write_text(theirs)

    world.written.look = looking  # type: ignore[method-assign]
    assert "not committed: nodes/a.yaml" in world.refused()[0]
    assert (world.root / MACHINE).read_text() == theirs


def test_what_is_so_already_is_left_alone(world: World) -> None:
    world.paint()
    head, written = world.head, len(world.api.written)
    assert [one.well for one in world.paint()] == [True, True, True]
    assert (world.head, len(world.api.written)) == (head, written)


def test_a_plan_changes_nothing_and_fetches_nothing(world: World) -> None:
    head, theirs = world.head, world.push_meanwhile()
    world.fetches = False
    said = "\n".join(plan(world.steps()))
    assert "1/3 a is blue: would be done now: write it into nodes/a.yaml, render, and commit that" in said
    assert "2/3 a is blue: pushed: would be waited for: it is not committed yet" in said
    assert "3/3 a is blue: applied: would be waited for: it is not pushed yet" in said
    assert (world.head, world.changed(), world.api.written) == (head, [], [])
    assert git(world.root, "rev-parse", "origin/main") != theirs


def test_other_files_of_the_operators_stay_as_they_are_staged_or_not(world: World) -> None:
    (world.root / "notes.txt").write_text("half\n")
    git(world.root, "add", "notes.txt")
    (world.root / "notes.txt").write_text("half a thought\n")
    (world.root / "new.txt").write_text("new\n")
    (world.root / "added.txt").write_text("added\n")
    git(world.root, "add", "added.txt")
    before = world.changed()
    assert all(one.well for one in world.paint())
    assert world.changed() == before
    assert git(world.root, "show", ":notes.txt") == "half"
    assert "notes.txt" not in git(world.root, "show", "--name-only", "HEAD")


def detached(world: World) -> None:
    git(world.root, "switch", "--quiet", "--detach")


def on_another_branch(world: World) -> None:
    git(world.root, "switch", "--quiet", "--create", "feature")
    git(world.root, "push", "--quiet", "--set-upstream", "origin", "feature")


def on_a_branch_of_nobody(world: World) -> None:
    git(world.root, "switch", "--quiet", "--create", "feature", "--no-track")


def without_upstream(world: World) -> None:
    git(world.root, "branch", "--unset-upstream")


def without_a_remote(world: World) -> None:
    git(world.root, "remote", "remove", "origin")


def behind(world: World) -> None:
    world.push_meanwhile()


def parted(world: World) -> None:
    world.push_meanwhile()
    git(world.root, "commit", "--quiet", "--allow-empty", "--message=mine")


def ahead(world: World) -> None:
    git(world.root, "commit", "--quiet", "--allow-empty", "--message=not yet")


def with_the_machine_edited(world: World) -> None:
    (world.root / MACHINE).write_text(TEXT.replace("size: 1", "size: 2"))


def with_the_machine_staged(world: World) -> None:
    with_the_machine_edited(world)
    git(world.root, "add", MACHINE)
    (world.root / MACHINE).write_text(TEXT)


def with_more_staged_than_is_seen(world: World) -> None:
    """The disk has what the procedure would write, the index something else, which its commit would lose."""
    with_the_machine_edited(world)
    git(world.root, "add", MACHINE)
    (world.root / MACHINE).write_text(BLUE)


def with_the_cluster_edited(world: World) -> None:
    (world.root / "stack.yaml").write_text("a: 2\n")


def with_a_file_in_the_tree(world: World) -> None:
    (world.root / "generated/home/mine.yaml").write_text("a: 2\n")


def amid_a_merge(world: World) -> None:
    (world.root / ".git/MERGE_HEAD").write_text(f"{world.head}\n")


def amid_a_rebase(world: World) -> None:
    (world.root / ".git/rebase-merge").mkdir()


def while_another_git_runs(world: World) -> None:
    (world.root / ".git/index.lock").touch()


def with_a_remote_that_is_away(world: World) -> None:
    world.remote.rename(world.remote.with_name("away"))


def not_rendered(world: World) -> None:
    (world.root / MACHINE).write_text(TEXT.replace("size: 1", "size: 2"))
    git(world.root, "commit", "--quiet", "--all", "--message=by hand")
    git(world.root, "push", "--quiet")


def shallow(world: World) -> None:
    (world.root / ".git/shallow").write_text(f"{world.head}\n")


def with_no_repository(world: World) -> None:
    (world.root / ".git").rename(world.root.with_name("aside"))


@pytest.mark.parametrize(
    ("so", "says", "do"),
    [
        (detached, "HEAD is on no branch", "git switch main"),
        (on_another_branch, "feature is checked out, which follows origin/feature; Flux applies main", "git switch main"),
        (on_a_branch_of_nobody, "feature is checked out, and Flux applies main", "git switch main"),
        (without_upstream, "main follows no branch of a remote", "git branch --set-upstream-to=origin/main"),
        (without_a_remote, "main follows no branch of a remote", "git remote add origin URL; git push --set-upstream origin main"),
        (behind, "origin/main has 1 commit that this clone does not have", "git pull --ff-only"),
        (parted, "main and origin/main have parted: there 1 commit that this clone does not have, here 1", "git pull --rebase"),
        (ahead, "1 commit here is not pushed, and would go to Flux with this one: ", "git push, if that is meant"),
        (with_the_machine_edited, "not committed: nodes/a.yaml; it would go into the same commit", "git diff HEAD -- nodes/a.yaml"),
        (with_the_machine_staged, "not committed: nodes/a.yaml", "git diff HEAD -- nodes/a.yaml"),
        (with_more_staged_than_is_seen, "not committed: nodes/a.yaml", "git diff HEAD -- nodes/a.yaml"),
        (with_the_cluster_edited, "not committed: stack.yaml", "git diff HEAD -- stack.yaml"),
        (with_a_file_in_the_tree, "not committed: generated/home/mine.yaml", "git diff HEAD"),
        (amid_a_merge, "a merge has begun here and not ended", "git merge --continue, or git merge --abort"),
        (amid_a_rebase, "a rebase has begun here and not ended", "git rebase --continue, or git rebase --abort"),
        (while_another_git_runs, "another git holds ", "rm that file"),
        (with_a_remote_that_is_away, "git fetch origin (", "git fetch origin main, once it works; then the same command"),
        (not_rendered, "the tree is not what the description says (update generated/home/rest/one.yaml)", "./run render"),
        (shallow, "this clone is shallow", "git fetch --unshallow"),
        (with_no_repository, "nothing can be committed here: fatal: not a git repository", "cd into the clone"),
    ],
)
def test_what_is_in_the_way_is_said_and_nothing_is_written(world: World, so: Callable[[World], None], says: str, do: str) -> None:
    so(world)
    tip = world.tip if world.remote.exists() else ""
    before = {path: path.read_bytes() for path in world.root.rglob("*") if path.is_file() and ".git" not in path.parts}
    said = world.refused()
    assert says in said[0]
    assert do in said[1]
    assert {path: path.read_bytes() for path in world.root.rglob("*") if path.is_file() and ".git" not in path.parts} == before
    assert (world.tip if tip else "") == tip
    assert world.api.written == []


def test_another_git_that_ends_is_waited_for(world: World) -> None:
    lock = world.root / ".git/index.lock"
    lock.touch()
    world.clock._passing = lambda now: lock.unlink(missing_ok=True) if now > 5 else None
    assert world.paint()[0].well


def test_after_an_error_the_files_are_put_back(world: World) -> None:
    head = world.head
    says, do = world.refused("green")
    assert says == "the description would have errors: nothing is green (nodes/a.yaml:2); nothing of it is left written"
    assert do == "another colour"
    assert (world.changed(), world.head) == ([], head)


def test_a_hook_that_refuses_is_told_and_the_files_are_put_back(world: World) -> None:
    hook = world.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK)
    hook.chmod(0o755)
    (world.root / "added.txt").write_text("added\n")
    git(world.root, "add", "added.txt")
    head = world.head
    says, _ = world.refused()
    assert says == "git commit refused: nobody paints on Fridays; nothing of it is left written"
    assert (world.changed(), world.head) == (["A  added.txt"], head)
    assert not (world.root / "generated/home/colour/two.yaml").exists()
    hook.unlink()
    assert all(one.well for one in world.paint())


def test_the_operators_hooks_see_what_is_committed(world: World) -> None:
    hook = world.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ngit diff --cached --name-only > seen\n")
    hook.chmod(0o755)
    assert world.paint()[0].well
    assert MACHINE in (world.root / "seen").read_text().splitlines()
    assert "generated/home/colour/two.yaml" in (world.root / "seen").read_text().splitlines()


def test_nobody_who_commits_is_told(world: World, tmp_path: Path) -> None:
    (tmp_path / "gitconfig").write_text("[user]\nuseConfigOnly = true\n")
    says, _ = world.refused()
    assert says.startswith("git commit refused: ")
    assert world.changed() == []


def test_who_pushed_meanwhile_is_not_pushed_over(world: World) -> None:
    """Between the look and the push."""
    theirs = list[str]()

    def between(call: str) -> None:
        if call == "git push" and not theirs:
            theirs.append(world.push_meanwhile())

    world.clone.before = between
    says, do = world.refused()
    assert says == "somebody pushed to origin/main meanwhile, and nothing is pushed over it"
    assert do == "git pull --rebase; ./run render --check; then the same command"
    assert [world.tip] == theirs
    assert "have parted" in world.refused()[0]
    git(world.root, "pull", "--quiet", "--rebase")
    assert all(one.well for one in world.paint())
    assert git(world.root, "rev-list", "--count", "HEAD") == "3"


def test_a_rule_of_the_servers_is_told(world: World) -> None:
    hook = world.remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'main is protected: open a merge request'\nexit 1\n")
    hook.chmod(0o755)
    says, do = world.refused()
    assert says == "origin takes no such push to main: main is protected: open a merge request; the commit is here, in main"
    assert "merge request" in do
    hook.unlink()
    assert all(one.well for one in world.paint())


def test_a_remote_that_asks_or_hangs_is_told_in_time(world: World) -> None:
    """Ssh is told no where it would ask, by a window or by the terminal; what says nothing at all is ended."""
    git(world.root, "remote", "set-url", "origin", "ssh://somebody@localhost/x")
    asking = world.root.parent / "asking"
    asking.write_text('#!/bin/sh\n"$SSH_ASKPASS" "password?" || echo "Permission denied (publickey,password)" >&2; exit 1\n')
    asking.chmod(0o755)
    git(world.root, "config", "core.sshCommand", str(asking))
    says, do = world.refused()
    assert says.startswith("git fetch origin (ssh://")
    assert do == "git fetch origin main, as it is asked for a login there, which here nobody is; then the same command"
    git(world.root, "config", "core.sshCommand", "sleep 100 #")
    said = world.clone.git("fetch", "origin", seconds=1)
    assert (said.well, said.why) == (False, "no end after 1 s")


def test_a_commit_by_hand_that_says_so_is_taken(world: World) -> None:
    (world.root / MACHINE).write_text(BLUE)
    world.written.render()
    git(world.root, "add", "--all")
    git(world.root, "commit", "--quiet", "--message=by hand")
    assert "1 commit here is not pushed" in world.refused()[0]
    git(world.root, "push", "--quiet")
    assert all(one.well for one in world.paint())
    assert git(world.root, "log", "-1", "--format=%s") == "by hand"


def test_a_project_below_the_top_of_its_repository(world: World) -> None:
    """The paths that Git knows are not those of the project."""
    below = world.root / "clusters-of-mine"
    below.mkdir()
    for name in ("nodes", "generated", "clusters", "stack.yaml"):
        if (world.root / name).exists():
            (world.root / name).rename(below / name)
    git(world.root, "add", "--all")
    git(world.root, "commit", "--quiet", "--message=moved")
    git(world.root, "push", "--quiet")
    world.clone.root = below
    world.written._root = below
    assert [one.well for one in world.paint()[:2]] == [True, True]
    assert world.changed() == []
    assert f"clusters-of-mine/{MACHINE}" in git(world.root, "show", "--name-only", "HEAD")
