"""What objects of a tree name, by the one table, where a name is final and all that Flux applies is known."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.references import Naming, names_in
from fluxstead.checks.reading.view import Item, View


def named(view: View, kinds: frozenset[str] | None, *holders: str) -> Iterator[tuple[Item, Naming]]:
    """Each object of the kinds `holders` with what it names of `kinds` (None: of any), and must have.

    Nothing of a tree that is partly elsewhere, of an object whose content patches may change, or by a name that Flux substitutes.
    """
    for item in () if view.partial else view.of(*holders):
        for one in _names(view, item) if item.whole else ():
            if (kinds is None or one.kind in kinds) and "${" not in one.name + one.namespace:
                yield item, one


def _names(view: View, item: Item) -> tuple[Naming, ...]:
    """Read once: several rules ask."""
    found = view.names.get(id(item))
    if found is None:
        found = view.names[id(item)] = tuple(names_in(item.object, item.ref.namespace))
    return found
