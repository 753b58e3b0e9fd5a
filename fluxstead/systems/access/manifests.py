"""Who may come in: the Secrets with names and passwords, and oauth2-proxy where an identity provider is asked.

What is in front of a route is the controller's, and the route's own (`tree.asks.Gate`): a route that is there is guarded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from fluxstead.core.platform import Platform
from fluxstead.systems.access import proxy
from fluxstead.systems.access.checks import findings_of, of_routes
from fluxstead.systems.access.gate import DescribedGate
from fluxstead.systems.access.settings import AccessSettings
from fluxstead.tree.asks import Issuer, Password, Route, Router, SecretKey, SecretNeed
from fluxstead.tree.layer import Guarded, Plan


def plan(settings: AccessSettings | None, platform: Platform, gate: DescribedGate, issuer: Issuer | None) -> Plan:
    """What finds out who somebody is, and what looks at all systems' routes."""
    oidc = settings.oidc if settings else None
    return Plan(
        layers=(proxy.layer(oidc, platform, gate.port),) if oidc else (),
        routes=(proxy.route(oidc),) if oidc else (),
        secrets=(proxy.need(oidc),) if oidc else (),
        gate=gate,
        admit=partial(_guarded, gate, https=issuer is not None),
        findings=tuple(findings_of(settings)) if settings else (),
    )


def _guarded(gate: DescribedGate, routes: Sequence[Route], router: Router, *, https: bool) -> Guarded:
    findings = of_routes(gate, routes, router, https=https)
    return Guarded(tuple(_needs(gate, routes)), tuple(findings))


def _needs(gate: DescribedGate, routes: Sequence[Route]) -> Iterator[SecretNeed]:
    """The names and passwords, once in each namespace; one value for all."""
    seen: set[tuple[str, str]] = set()
    for route in routes:
        guard = gate.guard_of(route)
        if isinstance(guard, Password) and (route.namespace, guard.secret) not in seen:
            seen.add((route.namespace, guard.secret))
            yield SecretNeed(
                namespace=route.namespace,
                name=guard.secret,
                layer=route.secrets_layer or route.layer,
                purpose="who may come in, and by which password",
                source=route.access.source if route.access else route.source,
                keys=(SecretKey(name="auth", form="htpasswd", maker="htpasswd"),),
                shared=f"login {guard.secret}",
                alone=True,
            )
