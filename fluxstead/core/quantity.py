"""Kubernetes quantities: `25Gi`, `500m`, `2`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator

from fluxstead.core.refusal import refuse
from fluxstead.core.written import Written

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
_PARTS = frozenset({"", "m", "u", "n"})
"""The units that are none, or parts of one."""


MEBIBYTE = 1024**2
MOST_CORES = 32
"""More whole cores than a pod of such a cluster is given."""
_LONGEST = 4
"""The digits of a number that somebody wrote without its unit; a longer one counts bytes, if too few."""


class Quantity(Written):
    """A quantity: a number and its unit, and what both are together."""

    __slots__ = ("amount", "number", "unit")
    number: Final[Decimal]
    unit: Final[str]
    amount: Final[Decimal]
    """The exact value, in bytes or cores."""

    def __init__(self, text: str) -> None:
        match = _QUANTITY.fullmatch(text)
        if match is None:
            raise ValueError(f"not a quantity: {text!r}")
        super().__init__(text)
        self.number, self.unit = Decimal(match["number"]), match["suffix"]
        self.amount = self.number * _FACTOR[self.unit]

    @classmethod
    def described(cls, value: object, example: str = "25Gi") -> Self:
        """A quantity, or a number that is one without its unit."""
        found = cls.read(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)
        if found is not None:
            return found
        raise refuse(
            f"{value!r} is not a quantity",
            why="Kubernetes reads sizes and shares in its own notation only",
            fix=f"a number with its unit, such as {example}",
        )

    @property
    def bytes(self) -> int:
        """Whole bytes; a fraction of one is rounded up, so that a reservation is never smaller than asked for."""
        return math.ceil(self.amount)

    @property
    def in_bytes(self) -> str:
        """A small size in words."""
        return f"{self.amount.normalize():f} {'byte' if self.amount == 1 else 'bytes'}"

    @property
    def lacks_unit(self) -> bool:
        """Whether it is a size so small that the unit of bytes was forgotten: none is there, or a part of a byte (`128m`)."""
        return self.unit in _PARTS and 0 < self.amount < MEBIBYTE

    def with_unit(self, usual: str) -> str:
        """What was meant by a size that lacks its unit."""
        number = self.text.removesuffix(self.unit)
        return f"{number}{usual}" if len(number) <= _LONGEST else f"a number with its unit, such as 25{usual}"


MOST_MEMORY = Quantity("1Ti")
"""More memory than a pod of such a cluster is given."""


def _of_bytes(usual: str) -> Callable[[object], Quantity]:
    """The reader of sizes that are usually given in `usual`. A number of bytes that may be meant has at least seven digits."""

    def parse(value: object) -> Quantity:
        size = Quantity.described(value, f"25{usual}")
        if size.lacks_unit:
            raise refuse(
                f"{size.text!r} has no unit of bytes: it is {size.in_bytes}",
                why="nothing fits into so little, and Kubernetes takes it as it stands",
                fix=size.with_unit(usual),
            )
        return size

    return parse


def _cpu(value: object) -> Quantity:
    cores = Quantity.described(value, "250m, or cores without one")
    if cores.unit not in _PARTS:
        raise refuse(
            f"{cores.text!r} is an amount of bytes, not of CPU",
            why="CPU is counted in cores and thousandths of them",
            fix="cores or thousandths of one, such as 2 or 250m",
        )
    if not cores.unit and cores.amount > MOST_CORES:
        raise refuse(
            f"{cores.text!r} means {cores} whole cores",
            why="no machine has them free, and the pods would stay pending",
            fix=f"{cores}m for thousandths of a core; {cores}000m if whole ones are meant",
        )
    return cores


def _above_zero(size: Quantity) -> Quantity:
    if size.amount:
        return size
    raise refuse(
        f"{size.text!r} is no size", why="nothing fits into it, and the API server refuses it of a volume", fix="a size such as 5Gi"
    )


def _fits(memory: Quantity) -> Quantity:
    if memory.amount <= MOST_MEMORY.amount:
        return memory
    usual = f"{memory.number:f}Mi" if memory.unit == "Gi" else "an amount such as 512Mi"
    raise refuse(
        f"{memory.text!r} is more than {MOST_MEMORY}", why="no machine has it free, and the pods would stay pending", fix=usual
    )


SizeOrNone = Annotated[Quantity, BeforeValidator(_of_bytes("Gi"))]
"""A quantity of bytes on a disk, which may be zero."""

Size = Annotated[SizeOrNone, AfterValidator(_above_zero)]
"""A quantity of bytes on a disk or a volume: `5368709120` is one, `5` is a forgotten unit, `0Gi` is none."""

Memory = Annotated[Quantity, BeforeValidator(_of_bytes("Mi")), AfterValidator(_fits)]
"""A quantity of bytes in memory."""

Cpu = Annotated[Quantity, BeforeValidator(_cpu)]
"""A quantity of CPU: cores, or thousandths of one."""
