"""YAML that is nested without end: PyYAML's composer, written in C, follows it until the stack is used up, and the program ends."""

from __future__ import annotations

import re
from itertools import accumulate

import yaml

_DEEPEST = 2000
_OPENING = re.compile(r"[\[{\]}]|[-?]\s+(?=[-?]\s)")


def is_nested_without_end(text: str) -> bool:
    """Whether `text` is nested deeper than anything that a person writes."""
    # Brackets in quotes count as well, so this finds too much, but at once; the parser, which needs no stack, decides.
    steps = (-1 if sign in "]}" else 1 for sign in _OPENING.findall(text))
    return max(accumulate(steps), default=0) > _DEEPEST and _is_deep(text)


def _is_deep(text: str) -> bool:
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                return True
    except yaml.YAMLError:
        pass  # what is wrong with it is reported by whoever reads it
    return False
