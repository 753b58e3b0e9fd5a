"""Versions as numbers."""

from __future__ import annotations

import re


def parsed(version: str) -> tuple[int, ...]:
    """The numbers of a version, without its `v`, its pre-release and its build: (1, 33, 1) for `v1.33.1+k3s1`."""
    return tuple(int(number) for number in re.split(r"[-+]", version.removeprefix("v"), maxsplit=1)[0].split("."))
