"""What people write in a notation of its own, such as `10m` or `25Gi`: a value as soon as it is read, and still the same text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Self

from pydantic import GetPydanticSchema
from pydantic_core import CoreSchema, core_schema


class Written:
    """A value that keeps its text. Objects are given the text, by `str`; YAML and JSON refuse the value itself.

    The constructor raises a ValueError for any other notation.
    """

    __slots__ = ("text",)
    text: Final[str]

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def read(cls, value: object) -> Self | None:
        """The value of something that may have any shape; None where it is not text in this notation."""
        try:
            return cls(value) if isinstance(value, str) else None
        except ValueError:
            return None

    @classmethod
    def described(cls, value: object) -> Self:
        """The value of a field of the description, or a refusal."""
        raise NotImplementedError

    @classmethod
    def _given(cls, value: object) -> Self:
        return value if isinstance(value, cls) else cls.described(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        del source, handler
        return core_schema.no_info_plain_validator_function(
            cls._given,
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.to_string_ser_schema(),
        )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def from_text(read: Callable[[str], object]) -> GetPydanticSchema:
    """Marks a field whose value `read` makes of a text; what is no text is refused before."""
    return GetPydanticSchema(lambda *_: core_schema.no_info_after_validator_function(read, core_schema.str_schema()))
