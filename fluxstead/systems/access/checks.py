"""The rules for who may come in, over the description and over all systems' routes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.network import is_address
from fluxstead.core.shape import at
from fluxstead.systems.access.gate import DescribedGate
from fluxstead.systems.access.settings import AccessSettings, OidcSettings
from fluxstead.tree.asks import Forwarded, Networks, Password, Route, Router

ASKS_ITSELF = refuses(
    "access/asks-itself", "F21", "`by: basic` in front of Grafana, which takes the password for its own", "the description"
)
NO_PROVIDER = refuses("access/no-provider", "F21", "wiki-prod is by oidc, and no provider is described", "the description")
NO_SIGN_IN = refuses(
    "access/no-sign-in", "F21", "wiki-prod asks http://authelia…, and nothing says where people log in", "the description"
)
OPEN_SITE = warns("access/open-site", "F21", "wiki-prod is open to everyone who reaches the ingress controller", "the description")
OPEN_UI = refuses(
    "access/open-ui", "F21", "Longhorn's UI is open to everyone who reaches the ingress controller", "the description"
)
OTHER_DOMAIN = refuses(
    "access/other-domain", "F21", "wiki.example.org is by oidc, and people log in for example.net", "the description"
)
PLAIN_HTTP = refuses("access/plain-http", "F21", "wiki-prod asks for a password, and is plain HTTP", "the description")
SAID_OTHERWISE = refuses(
    "access/said-otherwise",
    "F21",
    "fullnameOverride gives oauth2-proxy another address than the controller asks",
    "the description",
)
SOURCES_HIDDEN = refuses(
    "access/sources-hidden", "F21", "wiki-prod lets 192.168.86.0/24 in, and the controller is not told who asks", "the description"
)
TWO_PROVIDERS = refuses("access/two-providers", "F21", "both `oidc` and `forward` are described", "the description")
CHECKS = (
    ASKS_ITSELF,
    NO_PROVIDER,
    NO_SIGN_IN,
    OPEN_SITE,
    OPEN_UI,
    OTHER_DOMAIN,
    PLAIN_HTTP,
    SAID_OTHERWISE,
    SOURCES_HIDDEN,
    TWO_PROVIDERS,
)

_NAMES = (("nameOverride",), ("fullnameOverride",), ("namespaceOverride",), ("service", "portNumber"))


def findings_of(settings: AccessSettings) -> Iterator[Finding]:
    """What is wrong with how it is found out who somebody is."""
    oidc = settings.oidc
    if oidc is None:
        return
    if settings.forward:
        yield TWO_PROVIDERS(
            settings.source_of("forward"),
            what="both `oidc` and `forward` are described",
            why="a controller asks one program about a request",
            fix="one of the two",
        )
    if "." not in oidc.domain:
        yield OTHER_DOMAIN(
            oidc.source_of("host"),
            what=f"people log in at {oidc.host}, for all names in {oidc.domain or 'no domain'}",
            why="browsers keep no cookie for a domain of one word, and people would log in for ever",
            fix="a host such as auth.home.example.org, below which the other names are",
        )
    for keys in _NAMES:
        if at(oidc.values, keys) not in (None, ""):
            yield SAID_OTHERWISE(
                oidc.source_of("values", *keys),
                what=f"{'.'.join(keys)} gives oauth2-proxy another address than the controller asks",
                why="every guarded route would answer with an error",
                fix="no such value",
            )


def of_routes(gate: DescribedGate, routes: Sequence[Route], router: Router, *, https: bool) -> Iterator[Finding]:
    """Routes that are open without anybody saying so, and routes whose guard would not work."""
    for route in routes:
        said, guard = gate.said_of(route), gate.guard_of(route)
        source = route.access.source if route.access else route.source
        if route.asks_itself and route.access and route.access.by == "basic":
            yield _asks_itself(route, source)
        elif guard is None and said and said.by == "oidc" and (route.access or not route.asks_itself):
            yield NO_PROVIDER(
                source,
                what=f"{route.name} is by oidc, and no provider is described",
                why="nobody could be asked who somebody is",
                fix="fluxstead:access: {oidc: {…}}, or forward: {address: …} for what runs already; or another way",
            )
        elif guard is None and not route.asks_itself and (said is None or said.by != "open"):
            yield _open(route)
        if not https and (isinstance(guard, (Password, Forwarded))):
            yield PLAIN_HTTP(
                source,
                what=f"{route.name} asks for a password, and is plain HTTP",
                why="everybody in between reads it, and whatever else is sent",
                fix="fluxstead:certificates: {issuer: own, version: …}; or access: {by: network, networks: […]}",
            )
        if isinstance(guard, Networks) and not router.tells_sources:
            yield SOURCES_HIDDEN(
                source,
                what=f"{route.name} lets {', '.join(guard.networks)} in, and the controller is not told who asks",
                why="a node port passes requests on with an address of its own machine, so that everybody or nobody is let in",
                fix="ingress: {keepSourceAddresses: true}; and the same in ingress.beside, where there is one",
            )
        if isinstance(guard, Forwarded) and not guard.sign_in and router.needs_sign_in:
            yield NO_SIGN_IN(
                source,
                what=f"{route.name} asks {guard.address}, and nothing says where people log in",
                why="ingress-nginx takes from there no more than yes or no, and people see 401 without a way on",
                fix="fluxstead:access: {forward: {signIn: https://…}}",
            )
        if isinstance(guard, Forwarded) and gate.settings and gate.settings.oidc and not gate.settings.forward:
            yield from _domain(gate.settings.oidc, route, source)


def _asks_itself(route: Route, source: Source) -> Finding:
    return ASKS_ITSELF(
        source,
        what=f"`by: basic` in front of {route.name}, which takes what is typed there for its own name and password",
        why="it refuses everybody who was let in",
        fix="no such line, since it asks for a password itself; or by: oidc, or by: network",
    )


def _open(route: Route) -> Finding:
    fix = "access: {by: basic}, oidc or network; or {by: open, reason: …}; or fluxstead:access: {by: …} for all routes"
    what = f"{route.name} is open to everyone who reaches the ingress controller"
    if route.at_stake:
        return OPEN_UI(route.source, what=what, why=f"{route.at_stake}, and nothing asks who it is (F21)", fix=fix)
    return OPEN_SITE(route.source, what=what, why="unless it asks itself, nothing does (F21)", fix=fix)


def _domain(oidc: OidcSettings, route: Route, source: Source) -> Iterator[Finding]:
    if route.host is None or is_address(route.host) or not route.host.endswith(f".{oidc.domain}"):
        yield OTHER_DOMAIN(
            source,
            what=f"{route.name} is by oidc without a host in {oidc.domain}"
            if route.host is None
            else f"{route.host} is by oidc, and people log in for {oidc.domain}",
            why="browsers send what says who is logged in to names of that domain alone, and would log in for ever",
            fix=f"host: {route.name}.{oidc.domain}, or another name below it; or another way than oidc",
        )
