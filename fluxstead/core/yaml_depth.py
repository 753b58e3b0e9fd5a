"""YAML that is nested without end: readers follow it until the stack or the memory is exhausted, and the program just dies."""

from __future__ import annotations

import re
from itertools import accumulate

import yaml

_DEEPEST = 200
"""No Kubernetes object has a quarter of it; Python's own stack holds a few times as much."""
_MOST_BORROWED = 100_000
"""Values that the aliases of a text may stand for."""
_OPENING = re.compile(r"[\[{\]}]|[-?]\s+(?=[-?]\s)")
_INDENTED = re.compile(rf"^[ ]{{{_DEEPEST // 2}}}", re.MULTILINE)
_ANCHOR, _ALIAS = re.compile(r"&\S"), re.compile(r"\*\S")


def is_nested_without_end(text: str) -> bool:
    """Whether `text` is nested deeper than anything that a person writes, or has aliases that contain themselves or multiply."""
    # Signs in quotes count as well, so this finds too much, but at once; the parser, which needs no stack, decides.
    steps = (-1 if sign in "]}" else 1 for sign in _OPENING.findall(text))
    deep = max(accumulate(steps), default=0) > _DEEPEST // 2 or _INDENTED.search(text)
    return bool(deep or (_ANCHOR.search(text) and _ALIAS.search(text))) and _is_endless(text)


def _is_endless(text: str) -> bool:
    measured = _Measured()
    try:
        return any(measured.is_too_much(event) for event in yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return False  # what is wrong with it is reported by whoever reads it


class _Measured:
    """What a text expands to, counted along its events: an alias counts as many values as it stands for."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._opened: list[tuple[str | None, int]] = []
        self._count = self._borrowed = 0

    def is_too_much(self, event: yaml.Event) -> bool:
        """Whether with this event the text is deeper, or expands to more, than is accepted."""
        if isinstance(event, yaml.AliasEvent):
            self._borrowed += self._sizes.get(str(event.anchor), 1)
            return self._borrowed > _MOST_BORROWED or any(anchor == event.anchor for anchor, _ in self._opened)
        self._count += isinstance(event, yaml.NodeEvent)
        if isinstance(event, yaml.CollectionStartEvent):
            self._opened.append((event.anchor, self._count + self._borrowed))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self._opened.pop()
            if anchor:
                self._sizes[anchor] = self._count + self._borrowed - before + 1
        return len(self._opened) > _DEEPEST
