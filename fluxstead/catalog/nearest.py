"""The known key that a mistyped one was most likely meant to be."""

from __future__ import annotations

from collections.abc import Iterable

# Below this likeness a guess misleads more often than it helps: `path` is no help to somebody who wrote `size`.
_LIKENESS = 0.6


def nearest(key: str, known: Iterable[str], likeness: float = _LIKENESS) -> str | None:
    """The known key most like `key`, or None where none is like it; 1.0 is one that differs in spelling only."""
    from difflib import get_close_matches  # noqa: PLC0415 -- only a mistake has to pay for it

    spellings = {_spelling(name): name for name in sorted(known)}
    found = get_close_matches(_spelling(key), spellings, n=1, cutoff=likeness)
    return spellings[found[0]] if found else None


def _spelling(key: str) -> str:
    """Case, dashes and underscores are what people mix up most."""
    return key.lower().replace("-", "").replace("_", "")
