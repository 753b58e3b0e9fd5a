"""ConfigMaps and Secrets that objects name: pods, charts, Ingresses, ServiceAccounts and Flux itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fluxstead.checks.known import Known
from fluxstead.checks.objects.pods import configuration_of, pod_of
from fluxstead.checks.reading.scope import WORKLOADS
from fluxstead.checks.reading.store import entries_of
from fluxstead.checks.reading.view import KUSTOMIZE, Item, View, annotations_of, mapping

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
    for item in view.of(*WORKLOADS):
        pod = pod_of(item.object) if item.whole else None
        for kind, name, keys in configuration_of(pod) if pod is not None else ():
            yield Named(item, kind, item.ref.namespace or "default", name, keys)
    for item in view.of("ServiceAccount"):
        for entry in entries_of(item.object, "imagePullSecrets") if item.whole else ():
            yield from _secret(item, item.ref.namespace, entry.get("name"), (".dockerconfigjson",))


def by_ingresses(view: View) -> Iterator[Named]:
    """Certificates that nobody is asked to make."""
    for item in view.of("Ingress"):
        asked = any(word in key.lower() for key in annotations_of(item) for word in _MAKES_CERTIFICATES)
        for entry in entries_of(item.spec, "tls") if item.whole and not asked else ():
            yield from _secret(item, item.ref.namespace, entry.get("secretName"), ("tls.crt", "tls.key"))


def by_flux(view: View) -> Iterator[Named]:
    """What a release takes its values from, and a Kustomization its variables, unless it is optional."""
    for item in view.of("HelmRelease"):
        for source in entries_of(item.spec, "valuesFrom"):
            yield from _source(item, source, (str(source.get("valuesKey", "values.yaml")),))
    for item in view.of("Kustomization"):
        for source in entries_of(mapping(item.spec, "postBuild"), "substituteFrom") if item.ref.group == KUSTOMIZE else ():
            yield from _source(item, source, ())


def by_charts(known: Known, view: View) -> Iterator[Named]:
    """Secrets that a chart's values name and the chart does not make."""
    for item in view.of("HelmRelease"):
        namespace = str(item.spec.get("targetNamespace") or item.ref.namespace)
        for secret in known.chart(view, item).secrets(mapping(item.spec, "values")) if item.whole else ():
            yield from _secret(item, namespace, secret.name, secret.keys)


def _source(item: Item, source: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Named]:
    kind, name = source.get("kind"), source.get("name")
    if item.whole and not source.get("optional") and kind in {"ConfigMap", "Secret"} and isinstance(name, str):
        yield Named(item, kind, item.ref.namespace, name, keys)


def _secret(item: Item, namespace: str, name: object, keys: tuple[str, ...]) -> Iterator[Named]:
    if isinstance(name, str) and name:
        yield Named(item, "Secret", namespace, name, keys)
