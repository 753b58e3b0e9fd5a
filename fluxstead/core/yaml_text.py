"""YAML out: the one way an object becomes text.

PyYAML's C emitter does the work. On top of it: keys keep the order given, text of several lines is a block, and plain words
that another YAML reader would take for a number or a boolean are quoted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

# Readers of YAML 1.1 and 1.2 differ on these: Go's reads y and n as booleans, and 1e3 or 0o17 as numbers (failure F20's kin:
# an image tag 123e4 became a number).
_AMBIGUOUS = re.compile(r"[yYnN]|[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|0o[0-7_]+|0x[\da-fA-F_]+|0b[01_]+|\d+(?::\d+)+")


_RESOLVER: Any = yaml.resolver.Resolver()
_KEPT = 4096
"""Most words of manifests are keys and names that come again in every file."""


@lru_cache(_KEPT)
def _tag(value: str, implicit: tuple[bool, bool]) -> str:
    """The tag that PyYAML would read this scalar with."""
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, value, implicit)
    return tag


@lru_cache(_KEPT)
def _style(value: str) -> str | None:
    if "\n" in value:
        return "|"
    # No number is longer; skips the search in long text.
    return "'" if len(value) < 40 and _AMBIGUOUS.fullmatch(value) else None  # noqa: PLR2004


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- PyYAML's signature
        return True

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> Any:
        return _tag(value, implicit) if kind is yaml.ScalarNode else super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))


_Dumper.add_representer(str, _text)


def to_yaml(value: Any) -> str:
    """`value` as one YAML document, the same for the same value everywhere."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096)
    return text


def in_one_line(value: Any) -> str:
    """The same as people write it inside a line, such as `[sh]`."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096, default_flow_style=True)
    return text.strip()
