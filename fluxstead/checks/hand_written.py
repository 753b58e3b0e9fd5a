"""A repository that people wrote by hand: the tree of each cluster in it, and what was committed before."""

from __future__ import annotations

from pathlib import Path

from fluxstead.checks.beginnings import Beginning, beginnings_in
from fluxstead.checks.context import CheckContext
from fluxstead.checks.past import Past
from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.committed import Committed, committed
from fluxstead.checks.reading.repository import History, history_of
from fluxstead.checks.reading.store import DiskStore, normal
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.tree.look import endless_link, unreadable


def clusters_in(root: Path, facts: SystemFacts) -> dict[str, Past]:
    """Each cluster's tree, by the directory that its Flux begins with."""
    store, history = DiskStore(root), history_of(root)
    return {one.folder: _evidence(store, one, history, facts) for one in beginnings_in(store)}


def cluster_at(root: Path, entry: str, facts: SystemFacts) -> Past:
    """The tree of the cluster whose Flux begins with this directory."""
    store, folder = DiskStore(root), normal(entry)
    found = {one.folder: one for one in beginnings_in(store)}
    return _evidence(store, found.get(folder, Beginning(folder, "", {})), history_of(root), facts)


def _evidence(store: DiskStore, begins: Beginning, history: History, facts: SystemFacts) -> Past:
    tree = read_applied_tree(store, [begins.folder], artifact=begins.artifact, spec=begins.spec)
    past = committed(history, tree, lambda files: [begins.folder] if files.is_folder(begins.folder) else [])
    tree.findings += [unreadable(path, why) for path, why in store.unreadable.items()]
    tree.findings += map(endless_link, sorted(store.endless))
    # Somebody who looks at a repository, and does not commit to it, need not have its past.
    unchecked = [*past.unchecked, *(f"what its commits prune or move: {one.what}: {one.fix}" for one in past.unread)]
    return Past(CheckContext(tree=tree, facts=facts), Committed(past.before, past.last_commit, unchecked=unchecked))
