"""What kustomizations list and Git does not have yet: Flux only gets what is committed."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.reading.applied_tree import AppliedTree
from fluxstead.checks.reading.committed import blob_of
from fluxstead.checks.reading.directory import missing
from fluxstead.checks.reading.repository import History, Index
from fluxstead.core.check import warns
from fluxstead.core.findings import Finding

NOT_ADDED = warns("references/not-added", "F3", "apps/web/kustomization.yaml lists `service.yaml`, which is not in Git's index")
CHECKS = (NOT_ADDED,)


def not_committed(tree: AppliedTree, history: History, index: Index | None) -> Iterator[Finding]:
    """Listed files that Git does not have: an error where what lists them is committed as it is, a slip where it is about to be."""
    head = history.head
    for path, (listing, entry) in tree.listed.items() if index and head else ():
        if index is None or head is None or path not in index.new or listing.path not in index.tracked:
            continue
        if head.blobs.get(listing.path) == blob_of(tree.store.text(listing.path)):
            yield missing(listing, entry, f"{path} is not committed", fix=f"`git add {path}`, and a commit")
        else:
            yield NOT_ADDED(
                listing.source,
                what=f"{listing.path} lists `{entry}`, which is not in Git's index",
                why="a commit without it has a kustomization that cannot be built, and nothing in the whole layer is applied (F3)",
                fix=f"`git add {path}`",
            )
