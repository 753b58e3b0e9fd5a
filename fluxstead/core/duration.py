"""Durations as Go, and so Kubernetes and Flux, write them: `10m`, `1h30m`, `90s`."""

from __future__ import annotations

import re
from typing import Final, Self

from fluxstead.core.refusal import refuse
from fluxstead.core.written import Written

# The CRDs' own pattern for intervals: ^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$ (Flux, kustomize_types.go)
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_LOOSE_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("s", 1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), ("m", 1)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), ("h", 1)),
    **dict.fromkeys(("d", "day", "days"), ("h", 24)),
    **dict.fromkeys(("w", "week", "weeks"), ("h", 168)),
}
"""Other ways to write a unit: the unit, and how many of it."""
_SHORTEST = 1


class Duration(Written):
    """A duration; a described one is at least a second."""

    __slots__ = ("seconds",)
    seconds: Final[float]

    def __init__(self, text: str) -> None:
        if not _DURATION.fullmatch(text):
            raise ValueError(f"not a duration: {text!r}")
        super().__init__(text)
        self.seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))

    @classmethod
    def described(cls, value: object) -> Self:
        """A duration that Flux, Helm or Kubernetes can be told to wait."""
        found = cls.read(value)
        if found is None:
            raise refuse(
                f"{value!r} is not a duration",
                why="Flux and Helm only read times with a unit",
                fix=_meant(str(value)) or "a number with its unit, such as 30s, 10m or 1h30m",
            )
        if found.seconds < _SHORTEST:
            raise refuse(
                f"{value!r} is less than a second",
                why="nothing is ready so soon, and Flux would check without a pause",
                fix=_meant(found.text.replace("ms", "m")) or "at least a second, such as 30s, 10m or 1h30m",
            )
        return found


def _meant(text: str) -> str | None:
    """What was meant by a duration in another notation; None where that is unclear."""
    parts = list(_LOOSE_PART.finditer(text))
    if "".join(part[0] for part in parts) != text or not any(float(part[1]) for part in parts):
        return None
    if len(parts) == 1 and not parts[0][2]:
        return f"{text}s or {text}m, whichever is meant"
    units = [_WORDS.get(part[2].lower()) for part in parts]
    found = [f"{float(part[1]) * unit[1]:g}{unit[0]}" for part, unit in zip(parts, units, strict=True) if unit]
    return "".join(found) if len(found) == len(parts) else None
