"""Text as programs can be given it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from fluxstead.core.refusal import refuse


def _text(value: str) -> str:
    if "\0" not in value:
        return value
    raise refuse(
        f"{value[:20]!r}{'…' if len(value) > 20 else ''} holds a NUL character",  # noqa: PLR2004 -- enough to find it
        why="no variable and no argument of a program can, and what reads a config file stops there",
        fix="the text without it; what is no text in a volume, or in the image",
    )


Text = Annotated[str, AfterValidator(_text)]
"""Text without NUL, at which the kernel ends whatever a program is given (execve(2))."""
