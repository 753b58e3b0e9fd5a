"""ConfigMaps and Secrets that objects name: pods, charts, Ingresses, ServiceAccounts and Flux itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fluxstead.catalog.kinds import WORKLOADS
from fluxstead.checks.known import Known
from fluxstead.checks.objects.names import Names
from fluxstead.checks.reading.view import Item, View, annotations_of
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.requirement import secret
from fluxstead.core.shape import mapping

_CONFIGURATION = frozenset({"ConfigMap", "Secret"})
_MAKES_CERTIFICATES = ("cert", "acme", "issuer")
"""In the annotations by which controllers are asked for the certificate of an Ingress."""


@dataclass(frozen=True, slots=True)
class Named:
    """A ConfigMap or a Secret, the object that names it, and the keys that are read from it."""

    item: Item
    ref: ObjectRef
    keys: tuple[str, ...]


def by_pods(names: Names) -> Iterator[Named]:
    """What pods do not start without, and what ServiceAccounts log in to registries with."""
    for item, one in names.of(*WORKLOADS, kinds=_CONFIGURATION):
        yield Named(item, one.ref if one.ref.namespace else replace(one.ref, namespace="default"), one.keys)
    for item, one in names.of("ServiceAccount", kinds=_CONFIGURATION):
        yield Named(item, one.ref, one.keys)


def by_ingresses(names: Names) -> Iterator[Named]:
    """Certificates that nobody is asked to issue."""
    for item, one in names.of("Ingress", kinds=_CONFIGURATION):
        if not any(word in key.lower() for key in annotations_of(item) for word in _MAKES_CERTIFICATES):
            yield Named(item, one.ref, one.keys)


def by_flux(names: Names) -> Iterator[Named]:
    """What a release takes its values from, and a Kustomization its variables, unless optional."""
    for item, one in names.of("HelmRelease", "Kustomization", kinds=_CONFIGURATION):
        yield Named(item, one.ref, one.keys)


def by_charts(known: Known, view: View) -> Iterator[Named]:
    """Secrets that a chart's values name and the chart does not create."""
    for item in view.of("HelmRelease"):
        namespace = str(item.spec.get("targetNamespace") or item.ref.namespace)
        for named in known.chart(view, item).secrets(mapping(item.spec, "values")) if item.whole else ():
            if isinstance(named.name, str) and named.name:
                yield Named(item, secret(namespace, named.name), named.keys)
