"""How a value type says no: the parts of a finding, carried through pydantic."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

REFUSED = "fluxstead_refused"


def refuse(what: str, *, why: str, fix: str) -> PydanticCustomError:
    """The exception for a validator to raise; the loader turns it into a finding with file and line."""
    escaped = what.replace("{", "{{").replace("}", "}}")
    return PydanticCustomError(REFUSED, escaped, {"what": what, "why": why, "write": fix})
