"""The commits to compare with, read with plain `git`: nothing is checked out, and nothing is fetched.

What Git cannot say is reported: without the committed tree nobody knows what a commit would prune (F27), and silence would be
taken for consent.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from fluxstead.core.repository import git_environment, repositories_around

_NO_COMMIT = "does not have any commits yet"
_DUBIOUS = ("dubious ownership", "unsafe repository")


class Unread(NamedTuple):
    """What Git could not be asked, and what to type."""

    what: str
    fix: str


class Commit(NamedTuple):
    """The files of one commit below the project's folder: the name of each file's content, by its path, and the submodules."""

    name: str
    at: str
    blobs: Mapping[str, str]
    submodules: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()


@dataclass(slots=True)
class History:
    """The commits that the tree is compared with: `HEAD`, what is pushed, and the commit before `HEAD`."""

    git: Git
    head: Commit | None = None
    pushed: Commit | None = None
    parent: Commit | None = None
    unread: list[Unread] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


class Index:
    """What Git has of the files below the project's folder, and what it would take; everything else there is ignored."""

    def __init__(self, tracked: frozenset[str], new: frozenset[str], *, at_top: bool) -> None:
        self.tracked = tracked
        self.new = new
        self.files = tracked | new
        self.at_top = at_top
        """Whether the project's folder is the repository's root."""

    @cached_property
    def folders(self) -> frozenset[str]:
        """The folders with such files."""
        found: set[str] = set()
        for file in self.files:
            for folder in above(file):
                if folder in found:
                    break
                found.add(folder)
        return frozenset(found)

    def is_inside(self, path: str) -> bool:
        """Whether the path is in a submodule, or in a repository of its own, of which only the root is listed."""
        return any(folder in self.tracked or f"{folder}/" in self.new for folder in (path, *above(path)))


def above(path: str) -> Iterator[str]:
    """The folders that a path is in, the innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


class Git:
    """`git`, asked about the repository around one folder, whatever the environment says about another."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.marked = next(iter(repositories_around(root)), None)
        self._batch: subprocess.Popen[bytes] | None = None
        self._listing: subprocess.Popen[bytes] | None = None
        # A partial clone would fetch what it lacks, which nobody asked for.
        self._environment = {**git_environment(known=self.marked is not None), "GIT_NO_LAZY_FETCH": "1"}

    def ask(self, *arguments: str) -> tuple[bytes | None, str]:
        """What git answers, or None and why it refused. Raises OSError where there is no git."""
        done = subprocess.run(self._command(*arguments), env=self._environment, check=False, capture_output=True)  # noqa: S603 -- the operator's git
        said = done.stderr.decode("utf-8", "replace").strip()
        return (done.stdout, said) if done.returncode == 0 else (None, said or f"git {arguments[0]} failed")

    def list_files(self) -> None:
        """Have Git look for what `index` gives, which takes it longest, while it is asked for other things."""
        if self.marked is not None and self._listing is None:
            with contextlib.suppress(OSError):
                self._listing = self._started("ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard")

    def index(self) -> Index | None:
        """What Git lists of the folder; None where it lists nothing, as in a folder that a repository around it ignores."""
        self.list_files()
        if self.marked is None or self._listing is None:
            return None
        answer, _ = self._listing.communicate()
        self._listing = None
        entries = [entry for entry in _text(answer).split("\0") if entry]
        if not entries:
            return None
        new = frozenset(entry[2:] for entry in entries if entry.startswith("? "))
        tracked = frozenset(entry[2:] for entry in entries if not entry.startswith("? "))
        return Index(tracked, new, at_top=self.marked.samefile(self.root))

    def content(self, blob: str) -> bytes | None:
        """The content of that name; None where this clone does not have it."""
        if self._batch is None or self._batch.poll() is not None:
            self._batch = self._started("cat-file", "--batch")
        asked, answers = self._batch.stdin, self._batch.stdout
        if asked is None or answers is None:
            return None
        try:
            asked.write(f"{blob}\n".encode())
            asked.flush()
        except OSError:
            return None
        head = answers.readline().split()
        if len(head) != 3:  # noqa: PLR2004 -- name, type and size
            return None
        content = answers.read(int(head[2]))
        answers.read(1)
        return content

    def close(self) -> None:
        """End what was started."""
        for process in (self._batch, self._listing):
            if process is not None:
                process.communicate()
        self._batch = self._listing = None

    def _started(self, *arguments: str) -> subprocess.Popen[bytes]:
        command, pipe, nowhere = self._command(*arguments), subprocess.PIPE, subprocess.DEVNULL
        return subprocess.Popen(command, env=self._environment, stdin=pipe, stdout=pipe, stderr=nowhere)  # noqa: S603 -- the operator's git

    def _command(self, *arguments: str) -> list[str]:
        return ["git", "-C", str(self.root), "-c", "protocol.allow=never", *arguments]


def history_ahead(root: Path, branch: str | None = None) -> Callable[[], History]:
    """Ask Git while others go on: most of it is waiting for other processes. Gives what waits for the answer."""
    answer: list[History] = []
    asking = Thread(target=lambda: answer.append(history_of(root, branch)))
    asking.start()

    def history() -> History:
        asking.join()
        return answer[0]

    return history


def history_of(root: Path, branch: str | None = None) -> History:
    """What Git knows. `branch`: the one that Flux syncs, for a HEAD that follows none."""
    git = Git(root)
    history = History(git)
    if git.marked is None and "GIT_DIR" not in os.environ:
        history.unchecked.append("what this commit would prune or move: the folder is not in a Git repository")
        return history
    git.list_files()
    try:
        _read(history, branch)
    except OSError as problem:
        what = (
            "there is no `git` on the PATH"
            if isinstance(problem, FileNotFoundError)
            else f"`git` does not start: {problem.strerror}"
        )
        history.unread.append(Unread(what, "install it: Debian, `apt-get install git`"))
    return history


def _read(history: History, branch: str | None) -> None:
    git = history.git
    answer, said = git.ask("rev-parse", "--show-toplevel", "HEAD^{commit}", "HEAD^@")
    if answer is None:
        _refused(history, said)
        return
    top, commit, *parents = _text(answer).splitlines()
    if git.marked is not None and not git.marked.samefile(top):
        history.unread.append(Unread(f"{git.marked / '.git'} is not a Git repository", f"`git init {git.marked}`, or remove it"))
        return
    history.head = _commit(history, "HEAD", commit)
    if parents:
        history.parent = _commit(history, "HEAD~", parents[0])
    elif re.search(rb"^parent ", git.ask("cat-file", "commit", "HEAD")[0] or b"", re.MULTILINE):
        fix = "`git fetch --unshallow`; where a CI makes the clone, its whole history (fetch-depth: 0)"
        history.unread.append(Unread("this clone is shallow: the commit before HEAD is not in it", fix))
    _pushed(history, commit, branch)


def _refused(history: History, said: str) -> None:
    git = history.git
    if any(words in said for words in _DUBIOUS):
        fix = f"`git config --global --add safe.directory {git.marked or git.root.resolve()}`, if you trust its owner"
        history.unread.append(Unread("Git refuses to read the repository: it belongs to somebody else", fix))
    elif "must be run in a work tree" in said:
        history.unread.append(Unread("Git takes this for a bare repository, without files", "`git config core.bare false`"))
    elif _NO_COMMIT in git.ask("log", "-1")[1]:
        history.unchecked.append("what this commit would prune or move: it is the first on its branch")
    else:
        first = next((line for line in said.splitlines() if line.startswith("fatal:")), said.splitlines()[0])
        history.unread.append(
            Unread(f"Git cannot read HEAD: {first.removeprefix('fatal: ')}", "what `git fsck` and `git status` advise")
        )


def _pushed(history: History, commit: str, branch: str | None) -> None:
    """The upstream branch; where HEAD, at this commit, follows none, the one that Flux syncs."""
    form = "%(HEAD)%09%(refname)%09%(refname:short)%09%(upstream:short)%09%(objectname)"
    listed, _ = history.git.ask("for-each-ref", f"--format={form}", "refs/heads", "refs/remotes")
    rows = [line.split("\t") for line in _text(listed or b"").splitlines()]
    known = {name: at for _, _, name, _, at in rows}
    follows = next((upstream for here, _, _, upstream, _ in rows if here == "*"), None)
    name = follows if follows in known else None
    if name is None and branch:
        remotes = ((full.removeprefix("refs/remotes/"), short) for _, full, short, _, _ in rows if full.startswith("refs/remotes/"))
        synced = [short for place, short in remotes if place.partition("/")[2] == branch]
        name = next(iter(sorted(synced, key=lambda one: (not one.startswith("origin/"), one))), None)
    if name is not None:
        in_sync = history.head is not None and known[name] == commit
        same = history.head._replace(name=name) if history.head and in_sync else None
        history.pushed = same or _commit(history, name, known[name])
    elif follows:
        history.unread.append(
            Unread(f"HEAD follows {follows}, which is not in this clone", f"`git fetch {follows.partition('/')[0]}`")
        )
    elif follows is None:
        history.unchecked.append("what is pushed: HEAD is not on a branch (`git switch BRANCH`)")
    else:
        history.unchecked.append("what is pushed: the branch has no upstream (`git branch --set-upstream-to=origin/BRANCH`)")


def _commit(history: History, name: str, at: str) -> Commit | None:
    """The files of a commit: all of them, or, where those of `HEAD` are known, what is not the same there."""
    head = history.head
    changes = history.git.ask("diff-tree", "-r", "-z", "--no-renames", "--relative", at, head.at)[0] if head else None
    if head is not None and changes is not None:
        return _made(head._replace(name=name, at=at), _changed(_text(changes)))
    # Also where the index is broken, which diff-tree reads for its attributes.
    answer, said = history.git.ask("ls-tree", "-r", "-z", at)
    if answer is None:
        history.unread.append(Unread(f"the files of {name} are not in this clone: {said.splitlines()[0]}", PARTIAL))
        return None
    return _made(Commit(name, at, {}), _listed(_text(answer)))


def _text(answer: bytes) -> str:
    """Paths are bytes, which need not be text."""
    return answer.decode("utf-8", "surrogateescape")


PARTIAL = "`git fetch --refetch --no-filter`, which fetches what a partial clone left out; otherwise `git fsck` says what is broken"


_LINK, _SUBMODULE, _NOTHING = "120000", "160000", "000000"
_Entry = tuple[str, str, str]
"""The mode, the name of the content, and the path."""


def _made(base: Commit, entries: Iterable[_Entry]) -> Commit:
    """A commit with these entries in place of what `base` has at their paths."""
    blobs, links, submodules = dict(base.blobs), set(base.links), set(base.submodules)
    for mode, blob, path in entries:
        blobs.pop(path, None)
        links.discard(path)
        submodules.discard(path)
        if mode == _SUBMODULE:
            submodules.add(path)
        elif mode != _NOTHING:
            blobs[path] = blob
        if mode == _LINK:
            links.add(path)
    return base._replace(blobs=blobs, submodules=frozenset(submodules), links=frozenset(links))


def _listed(text: str) -> Iterator[_Entry]:
    """As `git ls-tree -z` prints it: mode, type and name before a tab, the path after it."""
    for entry in text.split("\0"):
        head, tab, path = entry.partition("\t")
        if tab:
            yield head[:6], head.rpartition(" ")[2], path


def _changed(text: str) -> Iterator[_Entry]:
    """The first side of `git diff-tree -z`: `:MODE MODE NAME NAME STATUS` and the path, each before a zero byte."""
    fields = iter(text.split("\0"))
    for head, path in zip(fields, fields, strict=False):
        mode, _, blob, *_ = head.removeprefix(":").split(" ")
        yield mode, blob, path
