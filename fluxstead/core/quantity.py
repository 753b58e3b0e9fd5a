"""Kubernetes quantities: `25Gi`, `500m`, `2`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from fluxstead.core.refusal import refuse

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d+)?|\.\d+)(?P<suffix>[KMGTPE]i|[numkMGTPE]?)")
_FACTOR = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}


def _parse(value: object, example: str) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _QUANTITY.fullmatch(text):
        return text
    raise refuse(
        f"{value!r} is not a quantity",
        why="Kubernetes reads sizes and shares in its own notation only",
        fix=f"a number with its unit, such as {example}",
    )


def _of_bytes(usual: str) -> Callable[[object], str]:
    """The reader of sizes that are usually given in `usual`. A number of bytes that may be meant has at least seven digits."""

    def parse(value: object) -> str:
        text = _parse(value, f"25{usual}")
        if without_unit(text) and 0 < amount(text) < MEBIBYTE:
            raise refuse(
                f"{text!r} has no unit of bytes: it is {few_bytes(text)}",
                why="nothing fits into so little, and Kubernetes takes it as it stands",
                fix=with_unit(text, usual),
            )
        return text

    return parse


def _cpu(value: object) -> str:
    text = _parse(value, "250m, or cores without one")
    suffix = text.lstrip("0123456789.")
    if suffix not in {"", "m", "u", "n"}:
        raise refuse(
            f"{text!r} is an amount of bytes, not of CPU",
            why="CPU is counted in cores and thousandths of them",
            fix="cores or thousandths of one, such as 2 or 250m",
        )
    if not suffix and amount(text) > MOST_CORES:
        raise refuse(
            f"{text!r} are that many whole cores",
            why="no machine has them free, and the pods would stay pending",
            fix=f"{text}m for thousandths of a core; {text}000m if whole ones are meant",
        )
    return text


MEBIBYTE = 1024**2
MOST_CORES = 32
"""More whole cores than a pod of such a cluster is given."""
_LONGEST = 4
"""The digits of a number that somebody wrote without its unit; a longer one counts bytes, if too few."""


def without_unit(quantity: str) -> bool:
    """Whether a size that was validated before says no unit of bytes: none at all, or a part of a byte (`128m`)."""
    return quantity[-1] not in "iKkMGTPE"


def few_bytes(quantity: str) -> str:
    """A small size in words."""
    size = amount(quantity)
    return f"{size.normalize():f} {'byte' if size == 1 else 'bytes'}"


def with_unit(quantity: str, usual: str) -> str:
    """What was meant by a number without its unit."""
    number = quantity.rstrip("mun")
    return f"{number}{usual}" if len(number) <= _LONGEST else f"a number with its unit, such as 25{usual}"


Size = Annotated[str, BeforeValidator(_of_bytes("Gi"))]
"""A Kubernetes quantity of bytes on a disk or a volume, kept as it was written: `5368709120` is one, `5` is a forgotten unit.

`amount` and `bytes_of` give its value.
"""

Memory = Annotated[str, BeforeValidator(_of_bytes("Mi"))]
"""A quantity of bytes in memory."""

Cpu = Annotated[str, BeforeValidator(_cpu)]
"""A quantity of CPU: cores, or thousandths of one."""


def amount(quantity: str) -> Decimal:
    """The exact value of a quantity that was validated before."""
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        msg = f"not a quantity: {quantity!r}"
        raise ValueError(msg)
    return Decimal(match["number"]) * _FACTOR[match["suffix"]]


def bytes_of(quantity: str) -> int:
    """The value in whole bytes; a fraction of a byte is rounded up, so that a reservation is never smaller than asked for."""
    return math.ceil(amount(quantity))
