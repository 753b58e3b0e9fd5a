"""The tree as it was committed: read from Git with plain `git`, nothing is checked out and nobody is asked over the network."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fluxstead.checks.reading.store import Document, Store, documents_in, folders_of
from fluxstead.checks.reading.view import View, view_of
from fluxstead.tree.entry import entry_path


def committed_views(root: Path, cluster: str, directory: str, now: Store, place: str = "") -> dict[str, View]:
    """The trees of `HEAD` and of its upstream branch, by those names; none outside a repository or before the first commit.

    `place`: where `root` lies in the repository that Flux reads.
    """
    views: dict[str, View] = {}
    seen: set[str] = set()
    for name in ("HEAD", "@{upstream}"):
        answer = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{tree}}")
        commit = answer.decode().strip() if answer else ""
        if not commit or commit in seen:
            continue
        seen.add(commit)
        listed = _git(root, "ls-tree", "-r", "-z", name)
        store = _CommitStore(root, dict(_blobs(listed or b"")), now)
        own = f"clusters/{cluster}"
        entries = [own] if store.is_folder(own) else []
        if not store.is_file(entry_path(cluster)) and store.is_folder(directory):
            entries.append(directory)
        views["HEAD" if name == "HEAD" else _upstream(root)] = view_of(store, entries, place)
    return views


def _upstream(root: Path) -> str:
    answer = _git(root, "rev-parse", "--abbrev-ref", "@{upstream}")
    return answer.decode().strip() if answer else "upstream"


def _git(root: Path, *arguments: str) -> bytes | None:
    """What git answers; None where it refuses, or is not there."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], check=False, capture_output=True)  # noqa: S603, S607 -- the operator's git
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _blobs(listed: bytes) -> Iterator[tuple[str, str]]:
    for entry in listed.split(b"\0"):
        head, _, path = entry.partition(b"\t")
        fields = head.split()
        if len(fields) == 3 and fields[1] == b"blob":  # noqa: PLR2004 -- mode, type and name
            yield path.decode("utf-8", "surrogateescape"), fields[2].decode()


@dataclass(slots=True)
class _CommitStore:
    """The files of one commit. What is still the same in the tree of now is not read again."""

    root: Path
    blobs: Mapping[str, str]
    now: Store
    _read: dict[str, Sequence[Document]] = field(default_factory=dict)
    _folders: dict[str, set[str]] = field(init=False)

    def __post_init__(self) -> None:
        self._folders = folders_of(self.blobs)

    def is_file(self, path: str) -> bool:
        """As in Store."""
        return path in self.blobs

    def is_folder(self, path: str) -> bool:
        """As in Store."""
        return path in self._folders

    def children(self, folder: str) -> Sequence[str]:
        """As in Store."""
        return sorted(self._folders.get(folder, ()))

    def text(self, path: str) -> str:
        """As in Store."""
        blob = self.blobs.get(path)
        answer = _git(self.root, "cat-file", "blob", blob) if blob else None
        return (answer or b"").decode("utf-8", "replace")

    def documents(self, path: str) -> Sequence[Document]:
        """As in Store."""
        if path not in self._read:
            same = self.now.is_file(path) and _blob_of(self.now.text(path)) == self.blobs.get(path)
            self._read[path] = self.now.documents(path) if same else documents_in(self.text(path), path)
        return self._read[path]


def _blob_of(text: str) -> str:
    """The name that Git gives to a file of this content; empty where a filter may stand between."""
    content = text.encode("utf-8", "surrogateescape")
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
