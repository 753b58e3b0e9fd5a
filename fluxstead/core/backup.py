"""Which backups are made of a volume, as it is described where the volume is."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from fluxstead.core.described import Described
from fluxstead.core.names import Name
from fluxstead.core.refusal import refuse

_FORMS = "[hourly] beside what every volume has, {only: [weekly]}, or {none: can be downloaded again}"


class Backup(Described):
    """What is backed up of one volume, where that is not what every volume has."""

    also: tuple[Name, ...] = Field(default=(), description="Policies beside those that every volume has; as a list alone, too.")
    only: tuple[Name, ...] = Field(default=(), description="These policies, and none that every volume has.")
    none: str = Field(default="", description="Nothing is backed up, and why, for whoever reads the description next.")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if [bool(self.also), bool(self.only), bool(self.none.strip())].count(True) == 1:
            return self
        raise refuse(
            "backup says not one thing: policies beside the others, only these, or none and why",
            why="whoever needs the volume's backup has to know beforehand whether there is one (U10)",
            fix=_FORMS,
        )

    @property
    def policies(self) -> tuple[str, ...]:
        """Those that it names."""
        return self.also or self.only


def _listed(value: Any) -> Any:
    if value in ("none", "false", "0", False):
        raise refuse(
            "no backup, and no reason",
            why="whoever loses the volume cannot tell a decision from a mistake (U10)",
            fix="{none: can be downloaded again}",
        )
    return {"also": value} if isinstance(value, list) else value


Backups = Annotated[Backup | None, BeforeValidator(_listed, json_schema_input_type=list[Name] | Backup | None)]
"""None: what every volume has."""
