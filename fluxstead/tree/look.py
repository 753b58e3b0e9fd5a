"""Looking at the disk before anything is written: what is where, without following a link or waiting for a pipe."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source

IN_THE_WAY = refuses("tree/in-the-way", "U8", "a symbolic link is where the tree has a file", "the files on disk")
UNREADABLE = refuses("tree/unreadable", "U8", "it cannot be read: Permission denied", "the files on disk")
CHECKS = (IN_THE_WAY, UNREADABLE)

_MOST = 16 * 1024**2
"""The most bytes that are read from a file; no generated one has a hundredth of it."""
_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
}


class Blocked(Exception):  # noqa: N818 -- what it means stands among the look's findings
    """What is at a path cannot be read or written as a file of the tree."""


@dataclass(slots=True)
class SafeReader:
    """The files below `root`, each by its path from there. `findings`: what is in the way, by its path."""

    root: Path
    findings: dict[str, Finding] = field(default_factory=dict)
    _kinds: dict[str, str] = field(default_factory=dict)

    def text(self, path: str) -> str | None:
        """A file's text, bytes that are not UTF-8 as surrogates; None where there is nothing. Raises Blocked."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            wanted = "file" if depth == len(parts) else "folder"
            step = "/".join(parts[:depth])
            kind = self._kind(step)
            if kind == "nothing":
                return None
            if kind != wanted:
                self.findings[step] = _in_the_way(step, f"a {kind} is where the tree has a {wanted}")
                raise Blocked
        return self._read(path)

    def below(self, folder: str) -> Iterator[tuple[str, str]]:
        """Every file and every folder below a folder, each with its kind; links are not followed. Nothing if there is no folder."""
        try:
            with os.scandir(self.root / folder) as listed:
                names = sorted(entry.name for entry in listed)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as problem:
            self.findings[folder] = unreadable(folder, _why(problem))
            return
        for name in names:
            path = f"{folder}/{name}"
            try:
                kind = self._kind(path)
            except Blocked:
                continue
            yield path, kind
            if kind == "folder":
                yield from self.below(path)

    def _kind(self, path: str) -> str:
        if path not in self._kinds:
            try:
                found = (self.root / path).lstat()
            except FileNotFoundError:
                self._kinds[path] = "nothing"
            except OSError as problem:
                place = os.path.dirname(path) if isinstance(problem, PermissionError) else path  # noqa: PTH120 -- no Path
                self.findings[place or "."] = unreadable(place or ".", _why(problem))
                raise Blocked from None
            else:
                big = stat.S_ISREG(found.st_mode) and found.st_size > _MOST
                kind = _KINDS.get(stat.S_IFMT(found.st_mode), "thing of another kind")
                self._kinds[path] = f"file of {found.st_size // 1024**2} MiB" if big else kind
        return self._kinds[path]

    def _read(self, path: str) -> str:
        try:
            handle = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(handle, "rb") as file:  # noqa: PTH123 -- opened so that nothing is followed or waited for
                return file.read().decode("utf-8", "surrogateescape")
        except OSError as problem:
            self.findings[path] = unreadable(path, _why(problem))
            raise Blocked from None


def _in_the_way(file: str, what: str) -> Finding:
    return IN_THE_WAY(
        Source(file),
        what=what,
        why="writing there would change something outside the tree, and Flux reads only files and folders",
        fix="nothing: move it away, or restore the committed one",
    )


def unreadable(file: str, why: str) -> Finding:
    """A file or a folder that the disk does not let us read."""
    return UNREADABLE(
        Source(file),
        what=f"it cannot be read: {why}",
        why="its content would be taken for missing, and be lost or pruned",
        fix=f"read permission for whoever runs this: ls -ld {file}",
    )


def _why(problem: OSError) -> str:
    return problem.strerror or str(problem)
