"""The names of the metrics that a program's versions have: a query of any other name is answered with nothing, for ever."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from fluxstead.core.version import Version

_DATA = Path(__file__).parent / "data" / "metrics"


def versions_with_metrics(product: str) -> tuple[str, ...]:
    """The versions of a product whose metrics are known, oldest first: each one was read."""
    return tuple(_load(product)["versions"])


def metrics_of(product: str, version: str) -> frozenset[str] | None:
    """The metrics of one version; None where that is not known."""
    content = _load(product)
    if version not in content["versions"]:
        return None
    number = Version(version).numbers
    return frozenset(
        name
        for name, runs in content["names"].items()
        if any(Version(first).numbers <= number <= Version(last).numbers for first, last in runs)
    )


@cache
def _load(product: str) -> dict[str, Any]:
    file = _DATA / f"{product}.json"
    content: dict[str, Any] = json.loads(file.read_bytes()) if file.is_file() else {"names": {}, "versions": []}
    return content
