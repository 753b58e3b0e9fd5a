"""Kubernetes quantities: `25Gi`, `500m`, `2`."""

from __future__ import annotations

import math
import re
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


def _parse(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _QUANTITY.fullmatch(text):
        return text
    raise refuse(
        f"{value!r} is not a quantity",
        why="Kubernetes reads sizes and shares in its own notation only",
        write="a number with an optional suffix, such as 25Gi, 500M or 250m",
    )


Quantity = Annotated[str, BeforeValidator(_parse)]
"""A Kubernetes quantity, kept as it was written; `amount` and `bytes_of` give its value."""


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
