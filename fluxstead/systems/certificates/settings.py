"""What an operator may say about certificates; the only place of its defaults."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fluxstead.core.described import Described
from fluxstead.core.names import HostName, Name, is_host_name
from fluxstead.core.network import Address
from fluxstead.core.refusal import refuse
from fluxstead.core.version import Version

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _email(value: str) -> str:
    if _EMAIL.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not an e-mail address",
        why="the authority refuses the account, and issues nothing",
        fix="an address such as admin@example.org",
    )


def _covered(value: str) -> str:
    if is_host_name(value.removeprefix("*.")):
        return value
    raise refuse(
        f"{value!r} is not a name that a certificate has",
        why="which routes it is for is found by its names",
        fix="a host name such as wiki.example.org, or *.example.org for all names right below one",
    )


def _algorithm(value: str) -> str:
    if value in {"HMACSHA1", "HMACSHA256", "HMACSHA512"}:
        return value
    raise refuse(
        f"{value!r} is not an algorithm that cert-manager signs with",
        why="the name server would refuse the update, and no certificate is issued",
        fix="HMACSHA256, HMACSHA512 or HMACSHA1, as the name server's key says (hmac-sha256 is HMACSHA256)",
    )


class Cloudflare(Described):
    """A zone at Cloudflare."""

    token_secret: Name = Field(
        default="cloudflare-token",
        description="The Secret with the key api-token: an API token with Zone:Read and DNS:Edit for the zone.",
    )


class Route53(Described):
    """A zone at Amazon Route 53."""

    region: str = Field(default="us-east-1", min_length=1, description="The region whose endpoint is asked; the service is global.")
    hosted_zone_id: str | None = Field(default=None, min_length=1, description="The zone's id, where the user may not list zones.")
    credential_secret: Name = Field(
        default="route53", description="The Secret with the keys access-key-id and secret-access-key of a user for this zone."
    )


class Rfc2136(Described):
    """A zone of one's own name server, changed by dynamic updates (RFC 2136) that a key signs (RFC 8945)."""

    nameserver: Address = Field(description="The address of the name server that takes the updates; at port 53.")
    key_name: HostName = Field(description="The name of the key, as the name server knows it.")
    algorithm: Annotated[str, AfterValidator(_algorithm)] = Field(default="HMACSHA256", description="How the key signs.")
    key_secret: Name = Field(
        default="rfc2136-key", description="The Secret with the key tsig-key, as base64, as it stands in named.conf."
    )


class AcmeSettings(Described):
    """A public authority by ACME, which is shown by a DNS record that a name is ours; nothing has to be reachable from outside."""

    email: Annotated[str, AfterValidator(_email)] = Field(description="Where the authority writes to.")
    server: Literal["staging", "production"] = Field(
        default="staging",
        description="Let's Encrypt's staging environment, which no browser trusts and which forgives mistakes, or the real one.",
    )
    cloudflare: Cloudflare | None = Field(default=None, description="The zone is at Cloudflare.")
    route53: Route53 | None = Field(default=None, description="The zone is at Amazon Route 53.")
    rfc2136: Rfc2136 | None = Field(default=None, description="The zone is on a name server that takes dynamic updates.")
    nameservers: tuple[Address, ...] = Field(
        default=(),
        description="Resolvers that see the zone as the world does, where the network's own answer otherwise (split horizon).",
    )
    domain: HostName | None = Field(
        default=None,
        description="Requests for names that no route has get the certificate of *.<domain>; without it, the controller's own.",
    )

    @model_validator(mode="after")
    def _one_zone(self) -> Self:
        described = [key for key in ("cloudflare", "route53", "rfc2136") if getattr(self, key) is not None]
        if len(described) == 1:
            return self
        raise refuse(
            f"the zone is described {len(described)} times" if described else "where the zone is, is not described",
            why="cert-manager answers the authority by a record in one zone, and has to be let in there",
            fix="one of cloudflare: {}, route53: {…} and rfc2136: {…}",
        )


class GivenCertificate(Described):
    """A certificate that people get themselves, and renew themselves."""

    secret: Name = Field(description="The name of its Secret, with the keys tls.crt (the chain) and tls.key.")
    hosts: tuple[Annotated[str, AfterValidator(_covered)], ...] = Field(
        description="The names it is for, as they stand in it; *.example.org covers the names right below."
    )

    @model_validator(mode="after")
    def _for_something(self) -> Self:
        if self.hosts:
            return self
        raise refuse(
            f"{self.secret} is for no name",
            why="which routes it is for is found by its names",
            fix="hosts: ['*.example.org'], the names that stand in it",
        )

    def covers(self, host: str) -> bool:
        """Whether it is for this name (RFC 6125, 6.4.3: a wildcard is one label)."""
        return host in self.hosts or f"*.{host.partition('.')[2]}" in self.hosts


class CertificatesSettings(Described):
    """Where certificates come from. With it, every route is HTTPS, and plain HTTP only redirects."""

    issuer: Literal["own", "acme", "given"] = Field(
        description="own: an authority of one's own, which one's devices have to be told to trust. acme: Let's Encrypt, by DNS."
        " given: certificates that people get elsewhere."
    )
    version: Version | None = Field(default=None, description="The version of the chart cert-manager, for own and acme.")
    namespace: Name = Field(default="cert-manager", description="The namespace of cert-manager, and of the authority's Secret.")
    ca_secret: Name = Field(
        default="own-ca", description="own: the Secret with the authority's key and certificate: tls.key and tls.crt."
    )
    acme: AcmeSettings | None = Field(default=None, description="acme: the account, and where its zone is.")
    given: tuple[GivenCertificate, ...] = Field(
        default=(), description="given: the certificates. The first one also answers where no route does."
    )
    values: dict[str, Any] = Field(default_factory=dict, description="More chart values, merged over what fluxstead sets.")

    @model_validator(mode="after")
    def _as_the_issuer_says(self) -> Self:
        needs = {"own": "version", "acme": "acme", "given": "given"}[self.issuer]
        if not getattr(self, needs):
            raise refuse(
                f"issuer: {self.issuer} without {needs}",
                why="a chart without a version is upgraded unasked (F23)" if needs == "version" else "nothing would be issued",
                fix=_EXAMPLES[needs],
            )
        if self.issuer == "acme" and self.version is None:
            raise refuse(
                "issuer: acme without version", why="a chart without a version is upgraded unasked (F23)", fix=_EXAMPLES["version"]
            )
        if self.version and self.version.numbers < _OLDEST:
            raise refuse(
                f"cert-manager {self.version}",
                why="its chart brings its kinds by another value, and its makers fix nothing in it any more",
                fix=_EXAMPLES["version"],
            )
        names = [one.secret for one in self.given]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise refuse(
                f"{twice} is given twice",
                why="a Secret holds one certificate",
                fix="one entry with all names that stand in it, or another Secret",
            )
        for key in _ONLY[self.issuer]:
            if key in self.model_fields_set:
                alias = {"ca_secret": "caSecret"}.get(key, key)
                raise refuse(
                    f"issuer: {self.issuer} with {alias}",
                    why="it would have no effect, and whoever reads it believes that it has",
                    fix=f"no {alias}, or another issuer",
                )
        return self


_OLDEST = (1, 15, 0)
_EXAMPLES = {
    "version": "version: 1.21.1, or another of its chart's",
    "acme": "acme: {email: …, cloudflare: {}}",
    "given": "given: [{secret: example-org, hosts: ['*.example.org']}]",
}
_ONLY = {
    "own": ("acme", "given"),
    "acme": ("ca_secret", "given"),
    "given": ("acme", "ca_secret", "version", "namespace", "values"),
}
"""The keys that have no effect, by issuer."""
