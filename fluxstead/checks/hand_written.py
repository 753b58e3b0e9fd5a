"""A repository that people wrote by hand: where each cluster's Flux begins in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from fluxstead.checks.context import CheckContext
from fluxstead.checks.past import Past
from fluxstead.checks.reading.applied_tree import identity, read_applied_tree
from fluxstead.checks.reading.committed import Committed, committed
from fluxstead.checks.reading.repository import History, history_of
from fluxstead.checks.reading.store import DiskStore, below, is_yaml, normal
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.core.shape import mapping
from fluxstead.tree.look import endless_link, unreadable

_MARKS = ("gotk-sync.yaml", "kind: FluxInstance", "flux-instance", "flux-operator")


def clusters_in(root: Path, facts: SystemFacts) -> dict[str, Past]:
    """Each cluster's tree, by the directory that its Flux begins with."""
    store = DiskStore(root)
    # An instance in an example, or of another repository, begins in a directory that is not here.
    bootstrapped = sorted({entry for entry in _bootstrapped(store) if store.is_folder(entry)})
    entries = bootstrapped or [entry for entry in _of_clusters(sorted(set(_highest(store)))) if store.is_folder(entry)]
    history = history_of(root)
    return {entry: _evidence(store, entry, history, facts) for entry in entries}


def _of_clusters(entries: list[str]) -> list[str]:
    """Those below `clusters`, where Flux's own layout has them; what is elsewhere is a part that is switched off."""
    depths = {entry: entry.split("/").index("clusters") for entry in entries if "clusters" in entry.split("/")}
    return [entry for entry, depth in depths.items() if depth == min(depths.values())] or entries


def cluster_at(root: Path, entry: str, facts: SystemFacts) -> Past:
    """The tree of the cluster whose Flux begins with this directory."""
    return _evidence(DiskStore(root), normal(entry), history_of(root), facts)


def _evidence(store: DiskStore, entry: str, history: History, facts: SystemFacts) -> Past:
    tree = read_applied_tree(store, [entry])
    past = committed(history, tree, lambda files: [entry] if files.is_folder(entry) else [])
    tree.findings += [unreadable(path, why) for path, why in store.unreadable.items()]
    tree.findings += map(endless_link, sorted(store.endless))
    # Somebody who looks at a repository, and does not commit to it, need not have its past.
    unchecked = [*past.unchecked, *(f"what its commits prune or move: {one.what}: {one.fix}" for one in past.unread)]
    return Past(CheckContext(tree=tree, facts=facts), Committed(past.before, past.last_commit, unchecked=unchecked))


def _bootstrapped(store: DiskStore) -> Iterator[str]:
    """The paths in what `flux bootstrap` wrote, and in instances of the Flux operator."""
    for path in below(store, ""):
        if not is_yaml(path) or not any(mark in path or mark in store.text(path) for mark in _MARKS):
            continue
        for document in store.documents(path):
            data = document.data if isinstance(document.data, Mapping) else {}
            spec = mapping(data, "spec")
            if path.endswith("gotk-sync.yaml") and data.get("kind") == "Kustomization":
                yield normal(str(spec.get("path") or ""))
            # The instance itself, a release of its chart, or a file of that chart's values.
            for instance in (spec, mapping(mapping(spec, "values"), "instance"), mapping(data, "instance"), data):
                sync = mapping(instance, "sync").get("path")
                if isinstance(sync, str):
                    yield normal(sync)


def _highest(store: DiskStore) -> Iterator[str]:
    """The folders of Flux Kustomizations that are not in a directory which another one reconciles."""
    found: dict[str, str] = {}
    for path in below(store, ""):
        if is_yaml(path) and "kustomize.toolkit.fluxcd.io" in store.text(path):
            for document in store.documents(path):
                ref = identity(document.data)
                if ref and ref.kind == "Kustomization":
                    found[normal(str(mapping(document.data, "spec").get("path") or ""))] = path.rpartition("/")[0]
    for target, folder in found.items():
        inside = any(folder == other or folder.startswith(f"{other}/") for other in found if other not in {target, ""})
        if not inside:
            yield folder
