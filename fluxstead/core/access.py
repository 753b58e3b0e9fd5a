"""What a description says about who may come in by a route; the same words wherever a route is described."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fluxstead.core.described import Described
from fluxstead.core.network import Cidr
from fluxstead.core.refusal import refuse

_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
_GROUP = re.compile(r"[^\s,'\"\\$`](?:[^\n,'\"\\$`]*[^\s,'\"\\$`])?")


def _https(value: str) -> str:
    if _HTTPS.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not a URL that begins with https://",
        why="whoever is in between would read who somebody is, or say it",
        fix="a URL such as https://id.example.org",
    )


def _group(value: str) -> str:
    if _GROUP.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} cannot be told apart as a group",
        why="groups are listed with commas between them, and compared with what the provider says in quotes",
        fix="a name without commas, quotes, dollar signs and backslashes",
    )


HttpsUrl = Annotated[str, AfterValidator(_https)]
"""A URL of HTTPS, without a query."""
Group = Annotated[str, AfterValidator(_group)]
"""A group, as an identity provider calls it."""
Way = Literal["basic", "oidc", "network", "open"]


class Access(Described):
    """Who may come in."""

    by: Way = Field(
        description="basic: a name and a password. oidc: whoever the identity provider knows. network: requests from these"
        " networks alone. open: everybody, with the reason."
    )
    networks: tuple[Cidr, ...] = Field(default=(), description="network: those that are let in, such as 192.168.86.0/24.")
    reason: str = Field(default="", description="open: why, for whoever reads the description next.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.by == "network" and not self.networks:
            raise refuse(
                "by: network without networks",
                why="nobody would be let in",
                fix="networks: [192.168.86.0/24], those that may come in",
            )
        if self.by == "open" and not self.reason.strip():
            raise refuse(
                "by: open without a reason",
                why="whoever reads it next cannot tell a decision from a mistake (F21)",
                fix="reason: what asks who it is instead, or why everybody may come in",
            )
        if everybody := next((network for network in self.networks if not network.prefixlen), None):
            raise refuse(
                f"{everybody} is everybody",
                why="whoever reads it believes that somebody is kept out (F21)",
                fix="by: open, with the reason",
            )
        for key, way in _ONLY.items():
            if getattr(self, key) and self.by != way:
                raise refuse(
                    f"by: {self.by} with {key}",
                    why="it would have no effect, and whoever reads it believes that it has",
                    fix=f"by: {way}, or no {key}",
                )
        return self


_ONLY = {"networks": "network", "reason": "open"}
"""The keys that have an effect with one way alone."""
