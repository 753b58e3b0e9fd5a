"""oauth2-proxy, which asks an identity provider who somebody is.

Its own route is a layer that waits for the controller; nothing else does, and the controller waits for nothing of it. Until it
answers, both controllers answer guarded routes with an error.

Sources: oauth2-proxy/manifests helm/oauth2-proxy, values.yaml; oauth2-proxy's documentation, "Integration" with Nginx and Traefik,
and "Overview" of its configuration.
"""

from __future__ import annotations

from typing import Any

from fluxstead.core.access import Access
from fluxstead.core.helm import DRIFT_DETECTION, install_and_upgrade
from fluxstead.core.manifest import Manifest
from fluxstead.core.platform import Platform
from fluxstead.core.pod_security import pod_security
from fluxstead.core.shape import merged
from fluxstead.systems.access.settings import OidcSettings
from fluxstead.tree.asks import Forwarded, Route, SecretKey, SecretNeed
from fluxstead.tree.layer import Layer

NAME = "oauth2-proxy"
_HTTPS = 443


def guard(oidc: OidcSettings, port: int | None) -> Forwarded:
    """What a controller asks: one address says yes or no, the other sends whoever is not logged in to the provider."""
    inside = f"http://{NAME}.{oidc.namespace}.svc.cluster.local"
    return Forwarded(
        address=f"{inside}/oauth2/auth",
        redirects=f"{inside}/",
        sign_in=f"{_public(oidc, port)}/oauth2/start",
        headers=("X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Groups"),
    )


def route(oidc: OidcSettings) -> Route:
    """Where people log in."""
    return Route(
        name=NAME,
        namespace=oidc.namespace,
        service=NAME,
        port=80,
        source=oidc.source_of("host"),
        layer=f"{NAME}-routes",
        group="infrastructure",
        host=oidc.host,
        access=Access(by="open", reason="it is where people log in"),
    )


def need(oidc: OidcSettings) -> SecretNeed:
    """What the provider gave, and by what it knows again who is logged in."""
    return SecretNeed(
        namespace=oidc.namespace,
        name=oidc.secret,
        layer=NAME,
        purpose=f"the client at {oidc.issuer}, by which people log in",
        source=oidc.source_of("secret"),
        keys=(
            SecretKey(name="client-id", form="one line", hint="as the provider calls this client"),
            SecretKey(name="client-secret", form="one line"),
            SecretKey(name="cookie-secret", form="one line", maker="cookie"),
        ),
    )


def layer(oidc: OidcSettings, platform: Platform, port: int | None) -> Layer:
    """Namespace, source and release."""
    source, namespace = oidc.source, oidc.namespace
    manifests: tuple[dict[str, Any], ...] = (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": pod_security("restricted", platform)}},
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "HelmRepository",
            "metadata": {"name": NAME, "namespace": namespace},
            "spec": {"interval": "12h", "url": "https://oauth2-proxy.github.io/manifests"},
        },
        {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": NAME, "namespace": namespace},
            "spec": {
                "releaseName": NAME,
                "chart": {
                    "spec": {
                        "chart": NAME,
                        "version": str(oidc.version),
                        "sourceRef": {"kind": "HelmRepository", "name": NAME},
                    }
                },
                "interval": "10m",
                "timeout": "10m",
                **install_and_upgrade(platform),
                "driftDetection": dict(DRIFT_DETECTION),
                "values": merged(_values(oidc, port), oidc.values),
            },
        },
    )
    return Layer(name=NAME, group="infrastructure", source=source, manifests=tuple(Manifest(obj, source) for obj in manifests))


def _values(oidc: OidcSettings, port: int | None) -> dict[str, Any]:
    return {
        "config": {
            "existingSecret": oidc.secret,
            # What it answers itself to whoever is logged in, so that it can be asked in place of a site.
            "configFile": 'email_domains = ["*"]\nupstreams = ["static://202"]\n',
        },
        "extraArgs": {
            "provider": "oidc",
            "oidc-issuer-url": oidc.issuer,
            "redirect-url": f"{_public(oidc, port)}/oauth2/callback",
            "cookie-domain": f".{oidc.domain}",
            # At any port: while people move from one controller to another, they come by two.
            "whitelist-domain": f".{oidc.domain}:*",
            "code-challenge-method": "S256",
            "reverse-proxy": True,
            "set-xauthrequest": True,
            # Its own page has a link below the guarded host, where nothing of it answers.
            "skip-provider-button": True,
            # Some providers refuse a scope that they do not know, and most say no groups without this one.
            **({"allowed-group": ",".join(oidc.groups), "scope": "openid email profile groups"} if oidc.groups else {}),
        },
        # With one pod, the chart's own budget would hold up every drain of its machine.
        "podDisruptionBudget": {"enabled": False},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    }


def _public(oidc: OidcSettings, port: int | None) -> str:
    return f"https://{oidc.host}{_suffix(port)}"


def _suffix(port: int | None) -> str:
    return f":{port}" if port and port != _HTTPS else ""
