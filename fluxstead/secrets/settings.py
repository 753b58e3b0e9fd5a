"""What an operator may say about secrets; the only place of its defaults."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from fluxstead.core.age import Recipient
from fluxstead.core.described import Described
from fluxstead.core.refusal import refuse

if TYPE_CHECKING:
    from fluxstead.tree.asks import SecretNeed

_NAME = re.compile(r"(?:[a-z0-9][a-z0-9-]*/)?[a-z0-9][a-z0-9.-]*")


def _qualified(value: str) -> str:
    if _NAME.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not the name of a Secret",
        why="what is accepted is found by it",
        fix="NAMESPACE/NAME, as ./run secrets lists them; NAME alone for one value of several namespaces",
    )


class Absence(Described):
    """A Secret that is not in the repository, and why that is all right."""

    secret: Annotated[str, AfterValidator(_qualified)] = Field(
        description="NAMESPACE/NAME, as ./run secrets lists it; NAME alone of one value for several namespaces."
    )
    reason: str = Field(min_length=1, description="Why it is missing, for whoever reads the description next.")


class SecretsSettings(Described):
    """For whom secrets are encrypted. `./run secrets init` writes it."""

    people: tuple[Recipient, ...] = Field(
        default=(), description="The age keys (age1…) of those who change secrets: the operator's, and one that is kept offline."
    )
    cluster: tuple[Recipient, ...] = Field(
        default=(), description="The age keys that the cluster decrypts with; two while the key is being changed."
    )
    missing: tuple[Absence, ...] = Field(default=(), description="Secrets that are not in the repository on purpose.")

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for one in self.people:
            if one in self.cluster:
                raise refuse(
                    f"{one} is among the people and among the cluster's keys",
                    why="whoever breaks into the cluster reads what only people may, the cluster's own key among it (F22)",
                    fix="a person's own key, as `age-keygen` makes it, under people",
                )
        return self

    def accepted(self, need: SecretNeed) -> Absence | None:
        """What says that a Secret is missing on purpose."""
        names = {need.qualified_name, need.name} if need.shared else {need.qualified_name}
        return next((one for one in self.missing if one.secret in names), None)

    @property
    def recipients(self) -> frozenset[str]:
        """Everybody for whom what the cluster gets is encrypted."""
        return frozenset((*self.people, *self.cluster))
