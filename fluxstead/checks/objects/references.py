"""What the objects of a tree name, by the one table, where content and names are final."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fluxstead.catalog.references import Reference, references_in
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree


class References:
    """Read once from a tree, since several rules ask."""

    def __init__(self, tree: AppliedTree) -> None:
        self._tree = tree
        self._read: dict[str, list[tuple[AppliedObject, Reference]]] = {}

    def of(self, *holders: str, kinds: Collection[str] = ()) -> Iterator[tuple[AppliedObject, Reference]]:
        """Each object of the kinds `holders` with what it names and needs, limited to `kinds` where some are given.

        Skips objects whose content patches may change, and names that Flux substitutes.
        """
        for holder in holders:
            if holder not in self._read:
                self._read[holder] = list(self._named_by(holder))
            yield from ((item, one) for item, one in self._read[holder] if not kinds or one.ref.kind in kinds)

    def _named_by(self, holder: str) -> Iterator[tuple[AppliedObject, Reference]]:
        for item in self._tree.of(holder):
            if not item.is_final:
                continue
            for one in references_in(item.object, item.ref.namespace):
                if "${" not in one.ref.name + one.ref.namespace:
                    yield item, one
