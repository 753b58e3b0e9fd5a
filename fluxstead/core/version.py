"""Exact versions (failures F4, F23: ranges moved charts unasked, or named none)."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from fluxstead.core.refusal import refuse
from fluxstead.core.written import Written, from_text

_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)
_K3S = re.compile(r"v\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]+)?\+k3s\d+", re.ASCII)


class Version(Written):
    """One exact version of a chart, an image or a program, with or without a leading `v`, and not a range of them."""

    __slots__ = ("numbers",)
    numbers: Final[tuple[int, int, int]]
    """Without its `v`, its pre-release and its build: (1, 33, 1) for `v1.33.1+k3s1`."""

    def __init__(self, text: str) -> None:
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"not an exact version: {text!r}")
        super().__init__(text)
        self.numbers = int(match[1]), int(match[2]), int(match[3])

    @classmethod
    def described(cls, value: object) -> Self:
        """A version that exists as it is written."""
        found = cls.read(value)
        if found is not None:
            return found
        raise refuse(
            f"{value!r} is not an exact version",
            why="a range or a short version moves a chart unasked, or names none that exists",
            fix="all three parts, such as 1.9.0",
        )

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor, for "since 2.7" and the like."""
        return self.numbers[:2]


def _k3s(text: str) -> Version:
    if _K3S.fullmatch(text):
        return Version(text)
    raise refuse(
        f"{text!r} is not an exact k3s version",
        why="k3s releases carry their own suffix, and the Kubernetes version decides which APIs exist",
        fix="a release such as v1.33.1+k3s1",
    )


K3sVersion = Annotated[Version, from_text(_k3s)]
"""One exact k3s release."""
