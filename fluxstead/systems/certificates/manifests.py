"""The layers of certificates: cert-manager, its issuer behind it, and one for each route that has a host.

Certificates have layers of their own, on which nothing depends, and which do not wait: a controller answers with its own
certificate until there is one, and an authority that cannot be reached holds back no application
(docs/adr/0007-nothing-waits-for-a-certificate.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from fluxstead.core.manifest import Manifest
from fluxstead.core.names import bounded
from fluxstead.core.network import is_address
from fluxstead.core.platform import Platform
from fluxstead.core.requirement import namespace
from fluxstead.nodes.model import Node
from fluxstead.systems.certificates import issuers, release
from fluxstead.systems.certificates.alerts import RULES
from fluxstead.systems.certificates.checks import findings_of, of_routes
from fluxstead.systems.certificates.settings import CertificatesSettings
from fluxstead.tree.asks import AlertRules, ControllerPods, Issuer, Route, SecretKey, SecretNeed
from fluxstead.tree.layer import Certified, Layer, Plan

_DEFAULT = "default-certificate"
_DEFAULT_LAYER = "ingress-tls"


class CertificateNames(NamedTuple):
    """What certificates are called, as the description says."""

    settings: CertificatesSettings

    @property
    def default(self) -> str | None:
        """The Secret with what answers where no route's certificate does."""
        settings = self.settings
        if settings.issuer == "given":
            return settings.given[0].secret
        return _DEFAULT if settings.acme is None or settings.acme.domain else None

    def secret_of(self, route: Route) -> str | None:
        """The Secret with a route's certificate."""
        if route.host is None:
            return None
        if self.settings.issuer == "given":
            return next((one.secret for one in self.settings.given if one.covers(route.host)), None)
        return f"{route.name}-tls"


def issuer_of(settings: CertificatesSettings | None) -> Issuer | None:
    """What certificates are called; None in a cluster without any."""
    return CertificateNames(settings) if settings else None


def plan(settings: CertificatesSettings | None, platform: Platform, nodes: Sequence[Node], names: Sequence[str]) -> Plan:
    """cert-manager and its issuer, where something is issued, and what makes certificates for all systems' routes.

    `names`: those that lead to the machines, besides their own.
    """
    if settings is None:
        return Plan()
    certify = partial(_certified, settings, _hosts(nodes, names))
    findings = tuple(findings_of(settings))
    if settings.version is None:
        return Plan(certify=certify, findings=findings)
    return Plan(
        layers=(release.layer(settings, settings.version, platform), _issuers(settings)),
        scrapes=(release.scrape(settings, settings.version),),
        alerts=(AlertRules(name="certificates", source=settings.source, rules=RULES),),
        secrets=tuple(issuers.needs_of(settings)),
        certify=certify,
        findings=findings,
    )


def _hosts(nodes: Sequence[Node], names: Sequence[str]) -> tuple[str, ...]:
    """By what the machines are reached, the planned ones as well: a certificate is not issued anew when one joins."""
    addresses = [str(address) for node in nodes for address in (node.address, node.second_address) if address]
    return tuple(dict.fromkeys((*(node.name for node in nodes), *names, *addresses)))


def _issuers(settings: CertificatesSettings) -> Layer:
    """A layer of its own: the API server asks cert-manager's webhook about each issuer."""
    return Layer(
        name=issuers.LAYER,
        group="infrastructure",
        source=settings.source,
        manifests=(Manifest(issuers.issuer(settings), settings.source_of("issuer")),),
        # Right after it was applied, an issuer has no conditions, which Flux would take for ready.
        health_check_exprs=(
            {
                "apiVersion": "cert-manager.io/v1",
                "kind": "ClusterIssuer",
                "current": "has(status.conditions) && status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
            },
        ),
    )


def _certified(
    settings: CertificatesSettings, hosts: Sequence[str], routes: Sequence[Route], controllers: Sequence[ControllerPods]
) -> Certified:
    wanted = [*_default(settings, hosts, controllers), *_of_routes(settings, routes)]
    layers: dict[str, Layer] = {}
    needs: list[SecretNeed] = []
    for one in {(one.namespace, one.secret): one for one in reversed(wanted)}.values():
        layer = layers.setdefault(one.layer.name, one.layer)
        if settings.issuer == "given":
            layers[layer.name] = layer._replace(needs=layer.needs | {namespace(one.namespace)})
            needs.append(_need(one))
        else:
            made = Manifest(_certificate(settings, one), one.layer.source)
            layers[layer.name] = layer._replace(manifests=(*layer.manifests, made))
    return Certified(tuple(layers.values()), tuple(needs), tuple(of_routes(settings, routes)))


class _Wanted(NamedTuple):
    """A certificate for `hosts`, in a Secret, and the layer that it is in."""

    namespace: str
    secret: str
    hosts: tuple[str, ...]
    layer: Layer


def _default(settings: CertificatesSettings, hosts: Sequence[str], controllers: Sequence[ControllerPods]) -> Iterator[_Wanted]:
    secret = CertificateNames(settings).default
    if secret is None:
        return
    if settings.acme:
        names: tuple[str, ...] = (f"*.{settings.acme.domain}",)
    else:
        names = settings.given[0].hosts if settings.issuer == "given" else tuple(hosts)
    for controller in controllers:
        yield _Wanted(controller.namespace, secret, names, _layer(_DEFAULT_LAYER, "infrastructure", settings))


def _of_routes(settings: CertificatesSettings, routes: Sequence[Route]) -> Iterator[_Wanted]:
    names = CertificateNames(settings)
    for route in routes:
        secret = names.secret_of(route)
        if route.host and secret:
            layer = _layer(bounded(f"{route.layer}-tls"), route.group, settings)._replace(source=route.source)
            yield _Wanted(route.namespace, secret, (route.host,), layer)


def _layer(name: str, group: str, settings: CertificatesSettings) -> Layer:
    return Layer(name=name, group=group, source=settings.source, waits=False)


def _need(one: _Wanted) -> SecretNeed:
    return SecretNeed(
        namespace=one.namespace,
        name=one.secret,
        layer=one.layer.name,
        purpose=f"the certificate of {', '.join(one.hosts)}",
        source=one.layer.source,
        keys=(
            SecretKey(name="tls.crt", form="PEM", hint="its chain, its own certificate first"),
            SecretKey(name="tls.key", form="PEM"),
        ),
        type="kubernetes.io/tls",
        shared=f"certificate {one.secret}",
    )


def _certificate(settings: CertificatesSettings, one: _Wanted) -> dict[str, Any]:
    addresses = [host for host in one.hosts if is_address(host)]
    names = [host for host in one.hosts if not is_address(host)]
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": one.secret, "namespace": one.namespace},
        "spec": {
            "secretName": one.secret,
            **({"dnsNames": names} if names else {}),
            **({"ipAddresses": addresses} if addresses else {}),
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            # Apple's systems trust no server without the last one, which cert-manager leaves out (support.apple.com/103769).
            "usages": ["digital signature", "key encipherment", "server auth"],
            "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": issuers.issuer_name(settings)},
        },
    }
