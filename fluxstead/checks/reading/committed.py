"""The tree as it was committed: in `HEAD`, in what is pushed, and in the commit before `HEAD`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fluxstead.checks.reading.applied_tree import AppliedTree, read_applied_tree
from fluxstead.checks.reading.artifact import ArtifactStore
from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.checks.reading.repository import PARTIAL, Commit, Git, History, Unread
from fluxstead.checks.reading.store import Store, folders_of, is_yaml
from fluxstead.core.network import IpNetwork
from fluxstead.core.version import Version


class ClusterThen(NamedTuple):
    """What a committed description said of the cluster.

    `networks`: by key; `roles` and `taints`: of the machines that had joined, by name. `kept`: what a cluster keeps from its first
    start, by key.
    """

    kubernetes: Version | None
    flux: Version | None
    networks: Mapping[str, tuple[IpNetwork, ...]]
    roles: Mapping[str, str]
    taints: Mapping[str, frozenset[str]]
    kept: Mapping[str, str]


@dataclass(slots=True)
class Committed:
    """The trees to compare with.

    `before`: those after which the present tree is Flux's next step, by name. `last_commit`: the last commit as a step
    by itself, the tree before it and the tree in it. `unread`, `unchecked`: what could not be compared.
    """

    before: dict[str, AppliedTree] = field(default_factory=dict)
    last_commit: tuple[AppliedTree, AppliedTree] | None = None
    unread: list[Unread] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    clusters: dict[str, ClusterThen] = field(default_factory=dict)
    """What the descriptions said, by the same names as `before`."""


def committed(
    history: History,
    now: AppliedTree,
    entries: Callable[[Store], Sequence[str]],
    cluster: Callable[[Store], ClusterThen | None] = lambda _: None,
    ignored: str = "",
) -> Committed:
    """The committed trees of one cluster, from a commit's files.

    `entries`: the directories that its Flux begins with. `cluster`: what a description in them said. `ignored`: what the
    source leaves out, as now.
    """
    result = Committed(unread=list(history.unread), unchecked=list(history.unchecked))
    read: list[tuple[Commit, AppliedTree]] = []

    def tree_of(commit: Commit) -> AppliedTree:
        known = next((one for other, one in read if other.blobs == commit.blobs), None)
        if known is not None:
            return known
        files = _CommitStore(history.git, commit.blobs, now.store, commit.links)
        store = ArtifactStore(files, ignored=ignored, paths=commit.blobs)
        made = read_applied_tree(store, entries(store), now.place, now.artifact, now.spec)
        if files.missing:
            what = f"{files.missing} in {commit.name} is not in this clone"
            result.unread.append(Unread(what, PARTIAL))
        read.append((commit, made))
        return made

    try:
        for commit in (history.head, history.pushed):
            if commit is not None and all(tree_of(commit) is not one for one in result.before.values()):
                tree = result.before[commit.name] = tree_of(commit)
                then = cluster(tree.store)
                if then is not None:
                    result.clusters[commit.name] = then
        if history.head and history.parent and _takes_away(history.parent, history.head):
            result.last_commit = tree_of(history.parent), tree_of(history.head)
    finally:
        history.git.close()
    for path in sorted(history.head.submodules) if history.head else ():
        if any(file.startswith(f"{path}/") for file in now.files):
            result.unchecked.append(f"what this commit would prune or move in {path}: it is a submodule, with commits of its own")
    return result


def _takes_away(before: Commit, after: Commit) -> bool:
    return any(is_yaml(path) and after.blobs.get(path) != blob for path, blob in before.blobs.items())


@dataclass(slots=True)
class _CommitStore:
    """The files of one commit. What is unchanged in the present tree is not read again."""

    git: Git
    blobs: Mapping[str, str]
    now: Store
    links: frozenset[str] = frozenset()
    missing: str = ""
    """A file that Git lists but does not have."""
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
        content = self.git.content(blob) if blob else b""
        if content is None:
            self.missing = self.missing or path
        return (content or b"").decode("utf-8", "replace")

    def any_text(self, path: str) -> str:
        """As in Store."""
        return self.text(path)

    def left_out(self, path: str) -> str | None:
        """As in Store."""
        return "is a link, which Flux does not follow" if path in self.links else None

    def documents(self, path: str) -> Sequence[Document]:
        """As in Store."""
        if path not in self._read:
            same = self.now.is_file(path) and blob_of(self.now.text(path)) == self.blobs.get(path)
            self._read[path] = self.now.documents(path) if same else documents_in(self.text(path), path)
        return self._read[path]


def blob_of(text: str) -> str:
    """The name that Git gives to a file with this content, if no filter changes it."""
    content = text.encode("utf-8", "surrogateescape")
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
