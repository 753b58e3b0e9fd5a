"""What an operator may say about who may come in; the only place of its defaults."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from fluxstead.core.access import Access, Group, HttpsUrl, Way
from fluxstead.core.described import Described
from fluxstead.core.names import HostName, Name
from fluxstead.core.refusal import refuse
from fluxstead.core.version import Version

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")


def _url(value: str) -> str:
    if _URL.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not the URL of a program that answers requests",
        why="the controller asks there before each request, and answers nothing while it gets no answer",
        fix="a URL such as http://authelia.authelia.svc.cluster.local/api/authz/forward-auth",
    )


def _header(value: str) -> str:
    if _HEADER.fullmatch(value):
        return value
    raise refuse(f"{value!r} is not the name of a header", why="no controller passes it on", fix="a name such as Remote-User")


class Basic(Described):
    """Names and passwords, as a list in htpasswd's form."""

    secret: Name = Field(default="web-login", description="The Secret with the key auth, in the namespace of each such route.")


class OidcSettings(Described):
    """Whom an identity provider knows, asked by oauth2-proxy, which runs in the cluster."""

    version: Version = Field(description="The version of the chart oauth2-proxy.")
    issuer: HttpsUrl = Field(description="The provider's issuer, below which its .well-known/openid-configuration is.")
    host: HostName = Field(
        description="The host name at which people log in, such as auth.example.org; it logs in for all names below example.org."
    )
    secret: Name = Field(
        default="oidc-client", description="The Secret with the keys client-id, client-secret and cookie-secret, in its namespace."
    )
    groups: tuple[Group, ...] = Field(
        default=(), description="Only members of one of these groups; by default, everybody whom the provider knows."
    )
    namespace: Name = Field(default="oauth2-proxy", description="The namespace of the release.")
    values: dict[str, Any] = Field(default_factory=dict, description="More chart values, merged over what fluxstead sets.")

    @property
    def domain(self) -> str:
        """The domain in which whoever logged in is known."""
        return self.host.partition(".")[2]


class ForwardAuth(Described):
    """A program that runs already and says who may come in: Authelia, authentik, tinyauth and the like."""

    address: Annotated[str, AfterValidator(_url)] = Field(description="Where the controller asks about each request.")
    sign_in: HttpsUrl | None = Field(
        default=None, description="ingress-nginx: where people are sent who are not logged in. Traefik takes it from the answer."
    )
    headers: tuple[Annotated[str, AfterValidator(_header)], ...] = Field(
        default=(), description="Headers of its answer that are passed on, such as Remote-User."
    )


class AccessSettings(Access):
    """Who may come in by every route that says nothing itself, and how that is found out."""

    by: Way = Field(
        description="For routes that say nothing themselves. basic: a name and a password. oidc: whoever the identity provider"
        " knows. network: requests from these networks alone. open: everybody, with the reason."
    )
    basic: Basic = Field(default_factory=Basic, description="For routes by basic.")
    oidc: OidcSettings | None = Field(
        default=None, description="For routes by oidc: a provider, asked by an oauth2-proxy of our own."
    )
    forward: ForwardAuth | None = Field(default=None, description="For routes by oidc, in place of `oidc`: what runs already.")
