"""A change of the description, committed and pushed: only its own files, and never over what somebody else did.

The operator's other files stay as they are, staged or not (`git commit --only`); their hooks run, and their refusal is theirs to
read. What a run that was killed had written is known by its text: the description as committed, with the change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fluxstead.core.findings import some
from fluxstead.live.branch import AGAIN, fetch, look_for_other_work, refuse_others, signed, unreachable
from fluxstead.live.changes import FRESH, Amendment, GitWay, Upstream, is_so
from fluxstead.live.clone import COMMITTING, Clone, Said
from fluxstead.live.procedure import Step, StepState, Stopped, done, due, waits

_SHOWN = 4
_PATIENCE = 180
"""Seconds: a remote that is slow is no reason not to try, and a lock of another git no reason to wait for long."""
_OTHERS_WERE_FIRST = ("non-fast-forward", "fetch first", "stale info")
_RULE = ("remote rejected", "pre-receive hook declined", "protected branch")


class Committing:
    """One change on its way into the branch."""

    def __init__(self, git: GitWay, change: Amendment) -> None:
        self._change, self._place = change, git.place
        self._clone: Clone = git.place.clone
        self._upstream = Upstream(git, FRESH)

    def steps(self) -> tuple[Step, Step]:
        """The commit, and the push."""
        back = self._change.way_back
        commit = Step(self._change.name, self._change.why, back, self._committed, self._commit, patience=_PATIENCE)
        why = "Flux applies what is pushed, and nothing else"
        return commit, Step(f"{self._change.name}: pushed", why, back, self._pushed, self._push, patience=_PATIENCE)

    def _committed(self) -> StepState:
        if is_so(self._clone, "HEAD", self._change):
            return done()
        branch = self._upstream.branch()
        busy = look_for_other_work(self._clone)
        if busy:
            return waits(busy, f"nothing while another git runs; else rm that file; {AGAIN}")
        refuse_others(self._clone, branch, self._place.words)
        begun = self._begun()
        self._refuse_uncommitted(begun=begun)
        if not begun:
            self._place.written.look()
        return due(f"write it into {' and '.join(self._change.files)}, render, and commit that")

    def _texts(self) -> dict[str, str]:
        """What the files become: as they are committed, with the change."""
        texts = {}
        for path, one in self._change.files.items():
            text = self._clone.text_at("HEAD", path)
            if text is None:
                raise Stopped(
                    f"{path} is not committed, so that Flux has nothing of it", f"git add, git commit and git push; {AGAIN}"
                )
            texts[path] = text if one.is_so(text) else one.edit(text)
        return texts

    def _begun(self) -> bool:
        """Whether a run that was killed has written it: then what is not committed is its, and ours."""
        root = self._clone.root
        return all((root / path).is_file() and _read(root / path) == text for path, text in self._texts().items())

    def _own(self) -> list[str]:
        return [*self._change.files, *self._place.written.generated]

    def _refuse_uncommitted(self, *, begun: bool) -> None:
        looked_at = dict.fromkeys([*self._place.written.description, *self._own()])
        ours = self._own() if begun else ()
        foreign = [path for how, path in self._status(list(looked_at)) if how[0] not in " ?" or not _inside(path, ours)]
        if foreign:
            raise Stopped(
                f"not committed: {some(sorted(foreign), _SHOWN)}; it would go into the same commit, or be lost",
                f"git diff HEAD -- {foreign[0]}; commit and push it, or git restore --staged --worktree it; {AGAIN}",
            )

    def _status(self, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        """How each file that is not as committed stands in the index and on the disk, and its path."""
        said = self._clone.git(
            "--no-optional-locks", "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", paths=paths
        )
        if not said.well:
            raise Stopped(f"git status does not work: {said.why}", f"what git status says; {AGAIN}")
        # From the repository's root, whatever the folder.
        inside = self._clone.one("rev-parse", "--show-prefix")
        for entry in filter(None, said.answer.split("\0")):
            yield entry[:2], entry[3:].removeprefix(inside)

    def _commit(self) -> None:
        written = self._place.written
        # What was saved in an editor since it was looked at is not written over.
        self._refuse_uncommitted(begun=self._begun())
        try:
            written.write(self._texts())
            written.render()
            self._commit_own()
        except Stopped as problem:
            raise Stopped(f"{problem}; {self._put_back()}", problem.do) from None

    def _commit_own(self) -> None:
        changed = list(self._status(self._own()))
        paths = [path for _, path in changed]
        new = [path for how, path in changed if how == "??"]
        if new:
            self._well("add", self._clone.git("add", "--intent-to-add", paths=new))
        message = signed(self._change.message, self._place.words)
        said = self._clone.git("commit", "--quiet", "--only", f"--message={message}", paths=paths, seconds=COMMITTING)
        self._well("commit", said)

    @staticmethod
    def _well(verb: str, said: Said) -> None:
        if not said.well:
            raise Stopped(f"git {verb} refused: {said.why}", f"what it says; {AGAIN}")

    def _put_back(self) -> str:
        """Nothing stays written after an error: the files as committed, and the tree that belongs to them."""
        texts = {path: self._clone.text_at("HEAD", path) or "" for path in self._change.files}
        try:
            new = [path for how, path in self._status(self._own()) if how == " A"]
            if new:
                self._well("reset", self._clone.git("reset", "--quiet", paths=new))
            self._place.written.write(texts)
            self._place.written.render()
        except Stopped as problem:
            return f"and it could not be put back ({problem}): git status says what is left of it"
        return "nothing of it is left written"

    def _pushed(self) -> StepState:
        branch = self._upstream.branch()
        if is_so(self._clone, branch.ref, self._change):
            return done()
        if not is_so(self._clone, "HEAD", self._change):
            return waits("it is not committed yet")
        refuse_others(self._clone, branch, self._place.words)
        return due(f"push {branch.name} to {branch.there}")

    def _push(self) -> None:
        branch = self._upstream.branch(anew=True)
        head = self._clone.one("rev-parse", "HEAD")
        what = f"{head}:refs/heads/{branch.follows}"
        said = self._clone.git(
            "push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", branch.remote, what, seconds=COMMITTING
        )
        if said.well:
            fetch(self._clone, branch)
            return
        told = f"{said.answer}\n{said.problem}"
        if any(words in told for words in _OTHERS_WERE_FIRST):
            raise Stopped(
                f"somebody pushed to {branch.there} meanwhile, and nothing is pushed over it",
                f"git pull --rebase; ./run render --check; {AGAIN}",
            )
        if any(words in told for words in _RULE):
            raise Stopped(
                f"{branch.remote} takes no such push to {branch.follows}: {_rejection(said)}; the commit is here, in {branch.name}",
                f"bring it there by the way that is allowed, such as a merge request; git pull; {AGAIN}",
            )
        raise unreachable(self._clone, branch, "push", said)


def _rejection(said: Said) -> str:
    """What the server said of it, and then git."""
    remote = [line.removeprefix("remote:").strip() for line in said.problem.splitlines() if line.startswith("remote:")]
    return "; ".join(filter(None, remote[:_SHOWN])) or said.why


def _inside(path: str, places: Sequence[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")
