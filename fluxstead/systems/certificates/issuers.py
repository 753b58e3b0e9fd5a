"""The issuers, as cert-manager has them, and the Secrets that they take from people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fluxstead.core.network import IpAddress
from fluxstead.systems.certificates.settings import AcmeSettings, CertificatesSettings
from fluxstead.tree.asks import SecretKey, SecretNeed

LAYER = "certificate-issuers"

_DIRECTORIES = {
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "production": "https://acme-v02.api.letsencrypt.org/directory",
}


_ROTATION = (
    "by git rm in a commit of its own, then made anew, and trusted anew on every device;"
    " certificates follow when they are renewed (docs/tasks/tls.md)"
)


def issuer_name(settings: CertificatesSettings) -> str:
    """The issuer's name. Staging and production have one each: cert-manager issues anew only where another issuer is named."""
    return f"acme-{settings.acme.server}" if settings.acme else "own-ca"


def issuer(settings: CertificatesSettings) -> dict[str, Any]:
    """The ClusterIssuer, whose Secrets are in cert-manager's own namespace."""
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": issuer_name(settings)},
        "spec": {"acme": _acme(settings.acme)} if settings.acme else {"ca": {"secretName": settings.ca_secret}},
    }


def _acme(acme: AcmeSettings) -> dict[str, Any]:
    return {
        "server": _DIRECTORIES[acme.server],
        "email": acme.email,
        "privateKeySecretRef": {"name": f"acme-{acme.server}-account"},
        "solvers": [{"dns01": _solver(acme)}],
    }


def _solver(acme: AcmeSettings) -> dict[str, Any]:
    if acme.cloudflare:
        return {"cloudflare": {"apiTokenSecretRef": {"name": acme.cloudflare.token_secret, "key": "api-token"}}}
    if acme.route53:
        secret = acme.route53.credential_secret
        return {
            "route53": {
                "region": acme.route53.region,
                **({"hostedZoneID": acme.route53.hosted_zone_id} if acme.route53.hosted_zone_id else {}),
                "accessKeyIDSecretRef": {"name": secret, "key": "access-key-id"},
                "secretAccessKeySecretRef": {"name": secret, "key": "secret-access-key"},
            }
        }
    server = acme.rfc2136
    if server is None:  # what is described has one of the three
        return {}
    return {
        "rfc2136": {
            "nameserver": at_port_53(server.nameserver),
            "tsigKeyName": server.key_name,
            "tsigAlgorithm": server.algorithm,
            "tsigSecretSecretRef": {"name": server.key_secret, "key": "tsig-key"},
        }
    }


def at_port_53(address: IpAddress) -> str:
    """A name server, as cert-manager takes it."""
    return f"[{address}]:53" if address.version == 6 else f"{address}:53"  # noqa: PLR2004 -- IPv6


def needs_of(settings: CertificatesSettings) -> Iterator[SecretNeed]:
    """What the issuer takes from people."""
    acme = settings.acme
    if acme is None:
        yield SecretNeed(
            namespace=settings.namespace,
            name=settings.ca_secret,
            layer=LAYER,
            purpose="the authority that every device trusts",
            source=settings.source_of("caSecret"),
            keys=(SecretKey(name="tls.key", form="PEM", maker="ca"), SecretKey(name="tls.crt", form="PEM", made_with="tls.key")),
            type="kubernetes.io/tls",
            rotation=_ROTATION,
        )
        return
    name, key, keys = _login(acme)
    yield SecretNeed(
        namespace=settings.namespace,
        name=name,
        layer=LAYER,
        purpose="the records by which ACME is answered",
        source=acme.source_of(*key),
        keys=keys,
    )


def _login(acme: AcmeSettings) -> tuple[str, tuple[str, ...], tuple[SecretKey, ...]]:
    """The Secret of the zone, where it is described, and its keys."""
    if acme.cloudflare:
        token = SecretKey(name="api-token", form="one line", hint="a token with Zone:Read and DNS:Edit for the zone")
        return acme.cloudflare.token_secret, ("cloudflare", "tokenSecret"), (token,)
    if acme.route53:
        keys = tuple(SecretKey(name=name, form="one line") for name in ("access-key-id", "secret-access-key"))
        return acme.route53.credential_secret, ("route53", "credentialSecret"), keys
    key = SecretKey(name="tsig-key", form="one line", hint="base64, as it stands in named.conf")
    return acme.rfc2136.key_secret if acme.rfc2136 else "", ("rfc2136", "keySecret"), (key,)
