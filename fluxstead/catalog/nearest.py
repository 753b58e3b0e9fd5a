"""The known key, or the version that exists, that a mistyped one was most likely meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Below this similarity a guess misleads more often than it helps: `path` is no help to somebody who wrote `size`.
_LIKENESS = 0.6
_NUMBERED = re.compile(r"(v?)(\d{1,9}(?:\.\d{1,9})*)(\D.*|)", re.ASCII)


def nearest(key: str, known: Iterable[str], likeness: float = _LIKENESS) -> str | None:
    """The known key most similar to `key`, or None if none is similar; 1.0 is one that differs only in spelling."""
    from difflib import get_close_matches  # noqa: PLC0415 -- only a mistake has to pay for it

    spellings = {_spelling(name): name for name in sorted(known)}
    found = get_close_matches(_spelling(key), spellings, n=1, cutoff=likeness)
    return spellings[found[0]] if found else None


def nearest_version(version: str, known: Iterable[str]) -> str | None:
    """The closest known version of the same line, or else the closest of all.

    The same form comes first: `1.27.9-alpine` is not fixed by `1.27.5-perl`, nor by `1.27`, which moves.
    """
    wanted, names = _numbered(version), sorted(known)
    if wanted is None:
        return nearest(version, names)
    prefix, numbers, suffix = wanted
    forms = {name: form for name in names if (form := _numbered(name))}
    for same in ((prefix, len(numbers), suffix), (prefix, len(numbers), "")):
        near = [(_distance(form[1], numbers), name) for name, form in forms.items() if (form[0], len(form[1]), form[2]) == same]
        if near:
            return min(near)[1]
    return nearest(version, names)


def _numbered(version: str) -> tuple[str, tuple[int, ...], str] | None:
    found = _NUMBERED.fullmatch(version)
    return (found[1], tuple(int(part) for part in found[2].split(".")), found[3]) if found else None


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(abs(a - b) for a, b in zip(one, other, strict=True))


def _spelling(key: str) -> str:
    """Case, dashes and underscores are what people confuse most."""
    return key.lower().replace("-", "").replace("_", "")
