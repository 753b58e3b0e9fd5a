"""ConfigMaps and Secrets that objects name: pods, charts, Ingresses, ServiceAccounts and Flux itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fluxstead.checks.known import Known
from fluxstead.checks.objects.names import named
from fluxstead.checks.reading.scope import WORKLOADS
from fluxstead.checks.reading.view import Item, View, annotations_of, mapping

_CONFIGURATION = frozenset({"ConfigMap", "Secret"})
_MAKES_CERTIFICATES = ("cert", "acme", "issuer")
"""In the annotations by which controllers are asked for the certificate of an Ingress."""


@dataclass(frozen=True, slots=True)
class Named:
    """A ConfigMap or a Secret, the object that names it, and the keys that are read of it."""

    item: Item
    kind: str
    namespace: str
    name: str
    keys: tuple[str, ...]


def by_pods(view: View) -> Iterator[Named]:
    """What pods do not start without, and what ServiceAccounts log in to registries with."""
    for item, one in named(view, _CONFIGURATION, *WORKLOADS):
        yield Named(item, one.kind, one.namespace or "default", one.name, one.keys)
    for item, one in named(view, _CONFIGURATION, "ServiceAccount"):
        yield Named(item, one.kind, one.namespace, one.name, one.keys)


def by_ingresses(view: View) -> Iterator[Named]:
    """Certificates that nobody is asked to make."""
    for item, one in named(view, _CONFIGURATION, "Ingress"):
        if not any(word in key.lower() for key in annotations_of(item) for word in _MAKES_CERTIFICATES):
            yield Named(item, one.kind, one.namespace, one.name, one.keys)


def by_flux(view: View) -> Iterator[Named]:
    """What a release takes its values from, and a Kustomization its variables, unless it is optional."""
    for item, one in named(view, _CONFIGURATION, "HelmRelease", "Kustomization"):
        yield Named(item, one.kind, one.namespace, one.name, one.keys)


def by_charts(known: Known, view: View) -> Iterator[Named]:
    """Secrets that a chart's values name and the chart does not make."""
    for item in view.of("HelmRelease"):
        namespace = str(item.spec.get("targetNamespace") or item.ref.namespace)
        for secret in known.chart(view, item).secrets(mapping(item.spec, "values")) if item.whole else ():
            if isinstance(secret.name, str) and secret.name:
                yield Named(item, "Secret", namespace, secret.name, secret.keys)
