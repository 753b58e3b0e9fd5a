"""Delivering the tree: the one way in which `render`, `check` and `up` look at the disk and write to it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source, errors
from fluxstead.tree.entry import entry_path, entry_text
from fluxstead.tree.lock import Busy, locked
from fluxstead.tree.look import Blocked, SafeReader, unreadable
from fluxstead.tree.owned import Change, Difference, compare, write
from fluxstead.tree.record import RECORD
from fluxstead.tree.staging import NotWritten, scratch_of

DELETED_BY_HAND = refuses("tree/deleted", "F3, U8", "deleted by hand: generated/home/apps.yaml", "the files on disk")
LOCKED = refuses("tree/locked", "U8", "the tree is locked by process 4711 (./run render)", "the files on disk")
NOT_WRITTEN = refuses(
    "tree/not-written", "U8", "it cannot be written: No space left on device; the tree is as it was before", "the files on disk"
)
STALE = warns("tree/stale", "U8", "the tree is not what the description says: update generated/home/apps.yaml", "the files on disk")
CHECKS = (DELETED_BY_HAND, LOCKED, NOT_WRITTEN, STALE)

_HAND_MADE = frozenset({"tree/edited", "tree/record"})
"""What the operator may decide to overwrite; anything else in the way has to be moved by hand."""
_CURES = {
    errno.ENOSPC: "nothing: make room first (df -h)",
    errno.EDQUOT: "nothing: make room in the quota first (quota)",
    errno.EROFS: "nothing: the file system is mounted read-only; dmesg says why, if nobody meant it to be",
}


class Desired(NamedTuple):
    """What should be on the disk below `root`: the cluster's tree, and its entry.

    `directory`: the tree's, from `root`. `place`: that of `root` in the repository, empty if it is its root. `files`: the tree's
    texts by their path below its directory. `lists`: those of ciphertext, by path from `root`. `overwrite`: whether what was edited
    by hand is replaced. `say`: takes a line of progress.
    """

    root: Path
    cluster: str
    directory: str
    place: str
    files: Mapping[str, str]
    overwrite: bool
    say: Callable[[str], object]
    lists: Mapping[str, str] = MappingProxyType({})


class Delivery(NamedTuple):
    """What writing the tree would change, and what prevents it. Paths are from the project's root."""

    desired: Desired
    difference: Difference
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]

    @property
    def nothing_to_do(self) -> bool:
        """Whether the disk, the record included, is what would be written."""
        return not self.changes and self.difference.recorded

    def differences(self) -> Iterator[Finding]:
        """What differs on the disk, where a write would just put it right."""
        entry = entry_path(self.desired.cluster)
        gone = [f"{self.desired.directory}/{path}" for path in self.difference.gone]
        gone += [change.path for change in self.changes if change.path == entry and self.difference.known]
        # What an interrupted run did not get to was not deleted by hand.
        gone = [] if self.difference.leftovers or scratch_of(self.desired.root / entry).exists() else gone
        told = {*gone, *(finding.source.file for finding in self.findings)}
        other = [change for change in self.changes if change.path not in told]
        if gone:
            yield _deleted(gone)
        if other:
            yield _stale(self.desired.directory, other)

    def summary(self) -> list[str]:
        """A line for each file that is touched."""
        lines = [f"{change.verb} {change.path}" for change in self.changes]
        if not lines and not self.difference.recorded:
            lines.append(f"renew {self.desired.directory}/{RECORD}")
        return lines


def look(desired: Desired) -> Delivery:
    """Look at the disk, and write nothing."""
    return _held(desired, alone=False)


def deliver(desired: Desired) -> Delivery:
    """Look at the disk, and write if nothing prevents it, with no other run in between."""
    return _held(desired, alone=True)


def _held(desired: Desired, *, alone: bool) -> Delivery:
    try:
        with locked(desired.root, alone=alone, say=desired.say):
            found = _prepare(desired)
            if alone and not errors(found.findings):
                _write(found)
            return found
    except Busy as busy:
        return _refused(desired, _busy(busy))
    except NotWritten as refusal:
        return _refused(desired, _not_written(desired.root, refusal))
    except OSError as problem:
        return _refused(desired, unreadable(problem.filename or ".", problem.strerror or str(problem)))


def _prepare(desired: Desired) -> Delivery:
    difference = compare(desired.root, desired.directory, desired.files)
    changes = [Change(f"{desired.directory}/{change.path}", change.before, change.after) for change in difference.changes]
    findings = [finding for finding in difference.findings if not (desired.overwrite and finding.id in _HAND_MADE)]
    entry = SafeReader(desired.root)
    path = entry_path(desired.cluster)
    try:
        if entry.text(path) is None:
            changes.append(
                Change(path, None, entry_text(desired.cluster, "/".join(filter(None, (desired.place, desired.directory)))))
            )
        for path, text in desired.lists.items():
            if entry.text(path) != text:
                changes.append(Change(path, entry.text(path), text))
    except Blocked:
        findings += (finding for finding in entry.findings.values() if finding not in findings)
    return Delivery(desired, difference, tuple(findings), tuple(changes))


def _write(found: Delivery) -> None:
    desired = found.desired
    beside = {change.path: change.after or "" for change in found.changes if not change.path.startswith(f"{desired.directory}/")}
    for path in (entry_path(desired.cluster), *desired.lists):
        with contextlib.suppress(OSError):
            scratch_of(desired.root / path).unlink()
    write(desired.root, desired.directory, found.difference, beside)


def _refused(desired: Desired, finding: Finding) -> Delivery:
    return Delivery(desired, Difference(recorded=False), (finding,), ())


def _deleted(paths: list[str]) -> Finding:
    return DELETED_BY_HAND(
        Source(paths[0]),
        what=f"deleted by hand: {_some(paths)}",
        why="Flux cannot build a layer that lists a missing file, and deletes what no file asks for any more (F3)",
        fix="./run render, which restores what the description has; to get rid of it, remove it from the description",
    )


def _stale(directory: str, changes: list[Change]) -> Finding:
    return STALE(
        Source(directory),
        what=f"the tree is not what the description says: {_some([f'{change.verb} {change.path}' for change in changes])}",
        why="Flux applies the committed files, not the description",
        fix="./run render, and a commit",
    )


def _some(paths: list[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")  # noqa: PLR2004 -- enough to see which


def _busy(busy: Busy) -> Finding:
    return LOCKED(
        Source("."),
        what=f"the tree is locked by {busy.holder}",
        why="two runs at once would write half of one tree and half of another",
        fix="nothing: let it finish, or kill it if it hangs; the next run resumes",
    )


def _not_written(root: Path, refusal: NotWritten) -> Finding:
    file = refusal.file.relative_to(root) if refusal.file.is_relative_to(root) else refusal.file
    left = "some files are from the new tree and some from the old one" if refusal.begun else "the tree is as it was before"
    return NOT_WRITTEN(
        Source(str(file)),
        what=f"it cannot be written: {refusal.problem.strerror}; {left}",
        why="what would be committed now is not what the description says",
        fix=_CURES.get(refusal.problem.errno or 0, f"write permission for whoever runs this: ls -ld {file.parent}")
        + "; then the same command again, which resumes",
    )
