"""Exact versions (failures F4, F23: ranges moved charts unasked, or named none)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from fluxstead.core.refusal import refuse

_VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)
_K3S = re.compile(r"v\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]+)?\+k3s\d+", re.ASCII)


def is_exact(version: str) -> bool:
    """Whether it names one version, with or without a leading `v`, and not a range of them."""
    return _VERSION.fullmatch(version.removeprefix("v")) is not None


def _exact(value: object) -> str:
    if isinstance(value, str) and is_exact(value):
        return value
    raise refuse(
        f"{value!r} is not an exact version",
        why="a range or a short version moves a chart unasked, or names none that exists",
        fix="all three parts, such as 1.9.0",
    )


def _k3s(value: str) -> str:
    if _K3S.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not an exact k3s version",
        why="k3s releases carry their own suffix, and the Kubernetes version decides which APIs exist",
        fix="a release such as v1.33.1+k3s1",
    )


Version = Annotated[str, BeforeValidator(_exact)]
"""One exact version of a chart, an image or a program, with or without a leading `v`."""

K3sVersion = Annotated[str, AfterValidator(_k3s)]
"""One exact k3s release."""


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, without its `v`, its pre-release and its build: (1, 33, 1) for `v1.33.1+k3s1`."""
    return tuple(int(number) for number in re.split(r"[-+]", version.removeprefix("v"), maxsplit=1)[0].split("."))


def minor(version: str) -> tuple[int, int]:
    """Major and minor of an exact version, for "since 2.7" and the like."""
    major, second, *_ = numbers(version)
    return major, second
