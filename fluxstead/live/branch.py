"""The branch that Flux applies, as the operator's clone has it, and why nothing may be committed to it now.

Whatever is in the way is the operator's to put right: nothing is stashed, merged, rebased or forced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fluxstead.core.findings import counted
from fluxstead.core.git_names import without_login
from fluxstead.live.clone import Clone, Said
from fluxstead.live.procedure import Stopped

AGAIN = "then the same command"
_TRAILER = "Fluxstead-Procedure"
_UNFINISHED: Mapping[str, tuple[str, str]] = {
    "MERGE_HEAD": ("a merge", "git merge --continue, or git merge --abort"),
    "rebase-merge": ("a rebase", "git rebase --continue, or git rebase --abort"),
    "rebase-apply": ("a rebase, or git am", "git rebase --continue, or git rebase --abort; of git am, git am --abort"),
    "CHERRY_PICK_HEAD": ("a cherry-pick", "git cherry-pick --continue, or git cherry-pick --abort"),
    "REVERT_HEAD": ("a revert", "git revert --continue, or git revert --abort"),
    "BISECT_LOG": ("a bisection", "git bisect reset"),
}
_LOCK = "index.lock"
_NO_LOGIN = (
    "could not read Username",
    "could not read Password",
    "Permission denied",
    "Host key verification failed",
    "Authentication failed",
)


class Branch(NamedTuple):
    """The branch that is checked out. `remote`, `follows`: the branch there that it follows; `ref`: that one as last fetched."""

    name: str
    remote: str
    follows: str
    ref: str

    @property
    def there(self) -> str:
        """The branch that it follows, as people name it."""
        return f"{self.remote}/{self.follows}"


def branch_of(clone: Clone, synced: str) -> Branch:
    """What is checked out, which is the branch that Flux applies, `synced`. Raises Stopped."""
    said = clone.git("rev-parse", "--is-shallow-repository")
    if not said.well:
        raise Stopped(
            f"nothing can be committed here: {said.why}", f"cd into the clone that Flux's branch, {synced}, is pushed from"
        )
    if said.answer.strip() == "true":
        raise Stopped("this clone is shallow: what Flux has applied cannot be found in it", f"git fetch --unshallow; {AGAIN}")
    name = clone.one("symbolic-ref", "--quiet", "--short", "HEAD")
    if not name:
        raise Stopped("HEAD is on no branch: what is committed there reaches nobody", f"git switch {synced}; {AGAIN}")
    if not clone.one("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        raise Stopped(f"{name} has no commit yet, and so Flux has nothing of it", f"git add, git commit and git push; {AGAIN}")
    form = "--format=%(upstream:remotename)%09%(upstream:remoteref)%09%(upstream)"
    remote, theirs, ref = clone.git("for-each-ref", form, f"refs/heads/{name}").answer.rstrip("\n").partition("\n")[0].split("\t")
    if not ref or remote in {"", "."}:
        raise _follows_nothing(clone, name, synced)
    follows = theirs.removeprefix("refs/heads/")
    if follows != synced:
        says = f"{name} is checked out, which follows {remote}/{follows}; Flux applies {synced}"
        raise Stopped(f"{says}, and would never see what is committed here", f"git switch {synced}; {AGAIN}")
    return Branch(name, remote, follows, ref)


def _follows_nothing(clone: Clone, name: str, synced: str) -> Stopped:
    remotes = clone.one("remote").split()
    if name != synced:
        return Stopped(
            f"{name} is checked out, and Flux applies {synced}: it would never see what is committed here", f"git switch {synced}"
        )
    says = f"{name} follows no branch of a remote, so that nobody knows where Flux would get a commit from"
    if not remotes:
        return Stopped(says, f"git remote add origin URL; git push --set-upstream origin {name}; {AGAIN}")
    remote = "origin" if "origin" in remotes else remotes[0]
    return Stopped(says, f"git fetch {remote}; git branch --set-upstream-to={remote}/{synced}; {AGAIN}")


def look_for_other_work(clone: Clone) -> str:
    """What another git has locked, which passes by itself; empty where nothing is. Raises Stopped for what is half done."""
    names = [*_UNFINISHED, _LOCK]
    answer = clone.git("rev-parse", *(word for name in names for word in ("--git-path", name))).answer
    there = {name: clone.root / path for name, path in zip(names, answer.splitlines(), strict=False)}
    for name, (what, do) in _UNFINISHED.items():
        if name in there and there[name].exists():
            raise Stopped(f"{what} has begun here and not ended: a commit would become part of it", f"{do}; {AGAIN}")
    lock = there.get(_LOCK)
    return f"another git holds {lock}" if lock and lock.exists() else ""


def fetch(clone: Clone, branch: Branch) -> None:
    """Know what others pushed. Raises Stopped."""
    said = clone.git("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", branch.remote, branch.follows, seconds=120)
    if not said.well:
        raise unreachable(clone, branch, "fetch", said)


def unreachable(clone: Clone, branch: Branch, verb: str, said: Said) -> Stopped:
    """The remote gave no answer, or let nobody in."""
    url = without_login(clone.one("remote", "get-url", branch.remote))
    login = any(words in said.problem for words in _NO_LOGIN)
    help_ = "as it is asked for a login there, which here nobody is" if login else "once it works"
    return Stopped(
        f"git {verb} {branch.remote} ({url}) did not work: {said.why}",
        f"git {verb} {branch.remote} {branch.follows}, {help_}; {AGAIN}",
    )


def refuse_others(clone: Clone, branch: Branch, words: str) -> None:
    """Raise Stopped where this clone is not what was pushed, but for commits of the procedure of these words."""
    counts = clone.one("rev-list", "--left-right", "--count", f"HEAD...{branch.ref}").split()
    ahead, behind = map(int, counts) if len(counts) == 2 else (0, 0)  # noqa: PLR2004 -- ours and theirs
    if behind:
        theirs = f"{counted(behind, 'commit')} that this clone does not have"
        says = (
            f"{branch.there} has {theirs}"
            if not ahead
            else f"{branch.name} and {branch.there} have parted: there {theirs}, here {ahead}"
        )
        how = "--rebase" if ahead else "--ff-only"
        raise Stopped(f"{says}; what is committed here could not be pushed", f"git pull {how}; ./run render --check; {AGAIN}")
    foreign = [line.partition("\t")[2] for line in _unpushed(clone, branch) if not line.startswith(f"{words}\t")] if ahead else []
    if foreign:
        these = f"{counted(len(foreign), 'commit')} here {'is' if len(foreign) == 1 else 'are'} not pushed"
        raise Stopped(
            f"{these}, and would go to Flux with this one: {foreign[0]}", f"git push, if that is meant to be applied now; {AGAIN}"
        )


def _unpushed(clone: Clone, branch: Branch) -> list[str]:
    """Which procedure made each, and its subject."""
    form = f"--format=%(trailers:key={_TRAILER},valueonly,separator=%x20)%x09%h %s"
    return clone.git("log", form, f"{branch.ref}..HEAD").answer.splitlines()


def signed(message: str, words: str) -> str:
    """A commit's message with the procedure that makes it, by which its next run knows it."""
    return f"{message}\n\n{_TRAILER}: {words}\n"
