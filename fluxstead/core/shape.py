"""Data of any shape, as people write it, read without an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping at a key; empty where there is none."""
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}
