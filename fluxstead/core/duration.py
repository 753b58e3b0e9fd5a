"""Durations as Go, and so Kubernetes and Flux, write them: `10m`, `1h30m`, `90s`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

from fluxstead.core.refusal import refuse

# The CRDs' own pattern for intervals: ^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$ (Flux, kustomize_types.go)
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def _parse(value: object) -> str:
    if isinstance(value, str) and _DURATION.fullmatch(value) and seconds(value) > 0:
        return value
    raise refuse(
        f"{value!r} is not a duration",
        why="Flux and Helm read times with their unit only",
        write="a number with its unit, such as 30s, 10m or 1h30m",
    )


Duration = Annotated[str, BeforeValidator(_parse)]
"""A duration longer than nothing, kept as it was written; `seconds` gives its value."""


def seconds(duration: str) -> float:
    """The length in seconds of a duration that was validated before."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(duration))
