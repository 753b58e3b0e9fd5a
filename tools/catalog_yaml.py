"""YAML as upstream writes it."""

from collections.abc import Iterator
from typing import Any

import yaml


class _Loader(yaml.CSafeLoader):
    """A safe loader to which a plain `=`, an operator in some definitions, is text."""


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:value", _text)


def documents(text: str) -> Iterator[Any]:
    """The documents of a file."""
    yield from yaml.load_all(text, Loader=_Loader)
