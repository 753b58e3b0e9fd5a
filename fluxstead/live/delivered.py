"""How far what is described came in Git: onto the disk, into a commit, to the branch that is pushed, and into what Flux has.

Read with plain git from what this clone has: nothing is fetched. Only files that Flux applies count. A revision of Flux is
`main@sha1:…` (fluxcd/source-controller: api/v1, `status.artifact.revision`; fluxcd/pkg: git/git.go).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from fluxstead.checks.reading.repository import Git, History, history_of
from fluxstead.core.findings import errors
from fluxstead.live.trouble import Subject
from fluxstead.tree.delivery import Desired, look
from fluxstead.tree.owned import ADDED_BY_HAND, EDITED_BY_HAND
from fluxstead.tree.record import RECORD
from fluxstead.tree.secret_files import FOLDER, OPERATOR

_REVISION = re.compile(r"(?:^|[@:/])(?:sha1|sha256):([0-9a-f]{40,64})")
_PAGE = "README.md"
_BY_HAND = frozenset({ADDED_BY_HAND.id, EDITED_BY_HAND.id})
_MOST = 20
"""Revisions that are looked at: those of layers that stand still for long."""


class Since(NamedTuple):
    """A revision that Flux has. `known`: whether this clone has it; `in_head`, `in_pushed`: whether they come after it, or are it.

    The files that are otherwise in `HEAD`, in what is pushed, and in what Flux fetched last.
    """

    known: bool = False
    in_head: bool = False
    in_pushed: bool = False
    head: tuple[str, ...] = ()
    pushed: tuple[str, ...] = ()
    fetched: tuple[str, ...] = ()


class Delivered(NamedTuple):
    """Files, by path from the project's folder, that did not get further than here, and what is in which revision of Flux.

    `stale`: what `./run render` would do; `edited`: what it refuses to replace, since somebody edited it. `head`: the commit here;
    empty where there is no Git. `pushed`: the branch that Flux syncs, as last fetched or pushed, `learnt` when; empty if it is not
    known. `fetched`: of the revision that Flux fetched last; `revisions`: of those that layers applied. `unread`: why Git says no
    more.
    """

    stale: tuple[str, ...] = ()
    uncommitted: tuple[str, ...] = ()
    unpushed: tuple[str, ...] = ()
    head: str = ""
    pushed: str = ""
    learnt: datetime | None = None
    fetched: Since = Since()
    revisions: Mapping[str, Since] = {}
    unread: str = ""
    edited: tuple[str, ...] = ()

    @property
    def on_its_way(self) -> bool:
        """Whether something of it has not come as far as Flux."""
        return bool(self.stale or self.edited or self.uncommitted or self.unpushed or self.fetched.pushed)


def steps_of(cluster: str, known: Delivered) -> tuple[Subject, Subject, Subject]:
    """Where it may stop before Flux fetches it: on the disk, before a commit, before the branch."""
    return Subject("tree", f"generated/{cluster}"), Subject("commit", "HEAD"), Subject("branch", known.pushed)


def delivered(desired: Desired, branch: str, written: Collection[str], fetched: str, applied: Collection[str]) -> Delivered:
    """Ask Git. `written`: folders that people wrote and Flux applies. `fetched`, `applied`: the revisions that Flux has."""
    looked = look(desired)
    stale = tuple(looked.summary()) if looked.changes else ()
    against = errors(looked.findings)
    edited = tuple(dict.fromkeys(one.source.file for one in against if one.id in _BY_HAND))
    refused = next((f"{one.source.file}: {one.what}" for one in against if one.id not in _BY_HAND), "")
    history = history_of(desired.root, branch)
    try:
        found = _asked(history, branch, _places(desired, written), fetched, applied)
        # Where a write would be refused, it is not known what it would change.
        return found._replace(stale=() if against else stale, unread=refused or found.unread, edited=edited)
    except OSError as problem:
        stale = () if against else stale
        return Delivered(stale=stale, unread=refused or f"git does not start: {problem.strerror}", edited=edited)
    finally:
        history.git.close()


def _places(desired: Desired, written: Collection[str]) -> tuple[str, ...]:
    """Of ciphertext, what layers refer to: not what is for people alone."""
    folder = f"{FOLDER}/{desired.cluster}"
    return (desired.directory, f"clusters/{desired.cluster}", folder, f":(exclude){folder}/{OPERATOR}", *written)


def _asked(history: History, branch: str, places: tuple[str, ...], fetched: str, applied: Collection[str]) -> Delivered:
    said = [*(one.what for one in history.unread), *(one.partition(": ")[2] for one in history.unchecked)]
    head, git = history.head, history.git
    if head is None:
        return Delivered(unread=said[0] if said else "it has no commit yet")
    name, pushed = _pushed(history, branch)
    tips = (head.at, pushed, commit_of(fetched))
    last = _since(git, fetched, tips, places)
    settled = pushed or (last.in_head and not last.head)
    # What Flux has was pushed, also where this clone did not see it.
    arrived = any(_follows(git, head.at, later) for later in tips[1:])
    return Delivered(
        head=head.at,
        uncommitted=_changed_here(git, places),
        unpushed=() if arrived else _between(git, pushed, head.at, places),
        pushed=name,
        learnt=_learnt(git, name) if name else None,
        fetched=last,
        revisions={one: last if one == fetched else _since(git, one, tips, places) for one in sorted({*applied})[:_MOST]},
        unread="" if settled else next(iter(said), ""),
    )


def _pushed(history: History, branch: str) -> tuple[str, str]:
    """The branch that Flux syncs, as this clone knows it, and its commit, be HEAD on another or not; empty if it is not known."""
    upstream = history.pushed
    remote, _, followed = upstream.name.partition("/") if upstream else ("origin", "", "")
    if upstream and followed == branch:
        return upstream.name, upstream.at
    name = f"{remote}/{branch}"
    answer, _ = history.git.ask("rev-parse", "--verify", "--quiet", f"refs/remotes/{name}^{{commit}}")
    return (name, answer.decode().strip()) if answer else ("", "")


def commit_of(revision: str) -> str:
    """The commit that a revision of Flux names; empty where it names none."""
    found = _REVISION.search(revision)
    return found[1] if found else ""


def _since(git: Git, revision: str, tips: tuple[str, str, str], places: tuple[str, ...]) -> Since:
    commit = commit_of(revision)
    if not commit or git.ask("cat-file", "-e", f"{commit}^{{commit}}")[0] is None:
        return Since()
    head, pushed, fetched = tips
    in_head, in_pushed = _follows(git, commit, head), _follows(git, commit, pushed)
    # Where history is cut off, that nothing follows says nothing.
    if not in_head and not in_pushed and git.ask("rev-parse", "--is-shallow-repository")[0] != b"false\n":
        return Since()
    return Since(
        known=True,
        in_head=in_head,
        in_pushed=in_pushed,
        head=_between(git, commit, head, places),
        pushed=_between(git, commit, pushed, places),
        fetched=_between(git, commit, fetched, places),
    )


def _follows(git: Git, commit: str, later: str) -> bool:
    return bool(later) and (commit == later or git.ask("merge-base", "--is-ancestor", commit, later)[0] is not None)


def _between(git: Git, commit: str, other: str, places: tuple[str, ...]) -> tuple[str, ...]:
    """The files there that are otherwise in the other; none where either is not in this clone."""
    if not commit or not other or commit == other:
        return ()
    answer, _ = git.ask("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--relative", commit, other, "--", *places)
    return _paths(answer)


def _changed_here(git: Git, places: tuple[str, ...]) -> tuple[str, ...]:
    """The files there that are not as they are in `HEAD`, without those that Git ignores."""
    changed, _ = git.ask("--no-optional-locks", "diff", "-z", "--name-only", "--no-renames", "--relative", "HEAD", "--", *places)
    new, _ = git.ask("ls-files", "-z", "--others", "--exclude-standard", "--", *places)
    return tuple(sorted({*_paths(changed), *_paths(new)}))


def _paths(answer: bytes | None) -> tuple[str, ...]:
    """Without those of the tree that are for people and for us."""
    found = (answer or b"").decode("utf-8", "replace").split("\0")
    return tuple(path for path in found if path and posixpath.basename(path) not in {RECORD, _PAGE})


def _learnt(git: Git, branch: str) -> datetime | None:
    """When this clone last saw the branch move, by its reflog."""
    answer, _ = git.ask("log", "--walk-reflogs", "--max-count=1", "--date=unix", "--format=%gd", branch)
    found = re.search(r"@\{(\d+)\}", (answer or b"").decode("utf-8", "replace"))
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None
