"""The record next to the tree: the digest of every file that was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

RECORD = ".fluxstead.json"
"""Its name in the tree's directory: `{"files": {path: [digest, …]}}`. Two digests are there only during a write."""

Record = Mapping[str, tuple[str, ...]]
"""Digests by path below the tree's directory."""


def record_in(text: str) -> dict[str, tuple[str, ...]]:
    """What a record's text says. Raises ValueError where it says nothing."""
    try:
        return {path: tuple(digests) for path, digests in json.loads(text)["files"].items()}
    except (KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ValueError(str(problem)) from problem


def record_text(record: Record) -> str:
    """The record as it is written: the same for the same files."""
    return json.dumps({"files": record}, indent=1, sort_keys=True) + "\n"


def digest(text: str) -> str:
    """The digest of a file's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def is_of_a_tree(path: str) -> bool:
    """Whether a path that a record names can be a file of the tree: below its directory, and not the record."""
    return path != RECORD and "\0" not in path and not any(part in {"", ".", ".."} for part in path.split("/"))
