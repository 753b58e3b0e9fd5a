"""A repository that people wrote by hand: the tree of each cluster in it, and what was committed before."""

from __future__ import annotations

from pathlib import Path

from fluxstead.checks.beginnings import Beginning, beginnings_in
from fluxstead.checks.context import CheckContext
from fluxstead.checks.past import Past
from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.artifact import ArtifactStore
from fluxstead.checks.reading.committed import Committed, committed
from fluxstead.checks.reading.repository import history_of
from fluxstead.checks.reading.store import DiskStore, normal
from fluxstead.checks.reading.uncommitted import not_committed
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.tree.look import unreadable


def clusters_in(root: Path, facts: SystemFacts) -> dict[str, Past]:
    """Each cluster's tree, by the directory that its Flux begins with."""
    repository = _Repository(root)
    return {one.folder: _evidence(repository, one, facts) for one in beginnings_in(repository.files)}


def cluster_at(root: Path, entry: str, facts: SystemFacts) -> Past:
    """The tree of the cluster whose Flux begins with this directory."""
    repository, folder = _Repository(root), normal(entry)
    found = {one.folder: one for one in beginnings_in(repository.files)}
    return _evidence(repository, found.get(folder, Beginning(folder, "", {})), facts)


class _Repository:
    """A folder with its history, read once for all clusters."""

    def __init__(self, root: Path) -> None:
        self.disk = DiskStore(root)
        self.history = history_of(root)
        self.index = self.history.git.index()
        self.files = ArtifactStore(self.disk, self.index)


def _evidence(repository: _Repository, begins: Beginning, facts: SystemFacts) -> Past:
    files = ArtifactStore(repository.disk, repository.index, begins.ignored) if begins.ignored else repository.files
    tree = read_applied_tree(files, [begins.folder], artifact=begins.artifact, spec=begins.spec)
    past = committed(
        repository.history,
        tree,
        lambda store: [begins.folder] if store.is_folder(begins.folder) else [],
        ignored=begins.ignored,
    )
    tree.findings += [unreadable(path, why) for path, why in repository.disk.unreadable.items()]
    tree.findings += not_committed(tree, repository.history, repository.index)
    # Somebody who looks at a repository, and does not commit to it, need not have its past.
    unchecked = [*past.unchecked, *(f"what its commits prune or move: {one.what}: {one.fix}" for one in past.unread)]
    return Past(
        CheckContext(tree=tree, facts=facts, earlier=past.before), Committed(past.before, past.last_commit, unchecked=unchecked)
    )
