"""The rules for certificates, over the description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.shape import at
from fluxstead.systems.certificates.settings import CertificatesSettings
from fluxstead.tree.asks import Route

ADDRESS = refuses(
    "certificates/address", "F21", "the route longhorn has no host, and no public authority issues for addresses", "the description"
)
NOT_COVERED = refuses("certificates/not-covered", "F21", "no given certificate is for wiki.example.org", "the description")
NOT_PUBLIC = refuses(
    "certificates/not-public", "F21", "wiki.home.arpa is in a domain for which no public authority issues", "the description"
)
STAGING = warns("certificates/staging", "F21", "certificates come from Let's Encrypt's staging environment", "the description")
SAID_OTHERWISE = refuses(
    "certificates/said-otherwise", "U5", "crds.enabled is false, and certificates need cert-manager's kinds", "the description"
)
CHECKS = (ADDRESS, NOT_COVERED, NOT_PUBLIC, SAID_OTHERWISE, STAGING)

_NEEDED: dict[tuple[str, ...], tuple[object, str]] = {
    ("crds", "enabled"): (True, "certificates need cert-manager's kinds"),
    ("clusterResourceNamespace",): ("", "issuers would look for their Secrets where nobody puts them"),
    ("namespace",): ("", "its programs would be elsewhere than what they are given"),
    ("nameOverride",): ("", "metrics are collected by the chart's own names"),
}
"""Values that everything else goes by, and why."""

_AT_HOME = ("local", "lan", "home", "home.arpa", "internal", "intranet", "localdomain", "localhost", "corp", "private")
"""Domains that are nobody's (RFC 6762, RFC 8375, ICANN's .internal, and what routers use)."""


def findings_of(settings: CertificatesSettings) -> Iterator[Finding]:
    """What is worth knowing before certificates are asked for."""
    for keys, (value, why) in _NEEDED.items():
        said = at(settings.values, keys)
        if said not in (None, value):
            yield SAID_OTHERWISE(
                settings.source_of("values", *keys),
                what=f"{'.'.join(keys)} is {str(said).lower()}, and {why}",
                why="everything else follows from what is described",
                fix="no such value",
            )
    acme = settings.acme
    if acme and acme.server == "staging":
        yield STAGING(
            acme.source_of("server"),
            what="certificates come from Let's Encrypt's staging environment",
            why="no browser trusts them: it is for finding out whether the zone lets cert-manager in",
            fix="server: production, once `kubectl get certificates -A` shows them Ready",
        )
    if acme and acme.domain and not _is_public(acme.domain):
        yield _not_public(settings, acme.domain)


def _not_public(settings: CertificatesSettings, host: str) -> Finding:
    return NOT_PUBLIC(
        settings.acme.source_of("domain") if settings.acme else settings.source,
        what=f"{host} is in a domain for which no public authority issues",
        why="it belongs to nobody, so that nobody can show that it is theirs",
        fix="a name in a domain of your own; or issuer: own",
    )


def _is_public(host: str) -> bool:
    return "." in host and not any(f".{host}".endswith(f".{domain}") for domain in _AT_HOME)


def of_routes(settings: CertificatesSettings, routes: Sequence[Route]) -> Iterator[Finding]:
    """Routes for which there would be no certificate that a browser accepts."""
    if settings.issuer == "own":
        return
    for route in routes:
        if route.host is None:
            yield ADDRESS(
                route.source,
                what=f"the route {route.name} has no host, and no public authority issues for addresses of one's own network",
                why="people reach it by the address of a machine, and their browsers would refuse it",
                fix="host: a name in a domain of your own; or certificates by issuer: own, which has the addresses",
            )
        elif settings.acme and not _is_public(route.host):
            yield NOT_PUBLIC(
                route.source,
                what=f"{route.host} is in a domain for which no public authority issues",
                why="it belongs to nobody, so that nobody can show that it is theirs",
                fix="a name in a domain of your own; or certificates by issuer: own",
            )
        elif settings.issuer == "given" and not any(one.covers(route.host) for one in settings.given):
            yield NOT_COVERED(
                route.source,
                what=f"no given certificate is for {route.host}",
                why="the first one would answer, and browsers refuse what is for another name",
                fix=f"{route.host} among the hosts of the certificate that has it",
            )
