"""ConfigMaps and Secrets that objects name: pods, charts, Ingresses, ServiceAccounts and Flux itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fluxstead.catalog.kinds import WORKLOADS
from fluxstead.checks.objects.references import References
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree, annotations_of
from fluxstead.checks.reading.values_from import values_of
from fluxstead.checks.system_facts import SystemFacts
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.requirement import secret

_CONFIGURATION = frozenset({"ConfigMap", "Secret"})
_MAKES_CERTIFICATES = ("cert", "acme", "issuer")
"""In the annotations by which controllers are asked for the certificate of an Ingress."""


class ConfigReference(NamedTuple):
    """A ConfigMap or a Secret, the object that names it, and the keys that are read from it."""

    item: AppliedObject
    ref: ObjectRef
    keys: tuple[str, ...]


def from_pods(references: References) -> Iterator[ConfigReference]:
    """What pods do not start without, and what ServiceAccounts log in to registries with."""
    for item, one in references.of(*WORKLOADS, kinds=_CONFIGURATION):
        yield ConfigReference(item, one.ref if one.ref.namespace else one.ref._replace(namespace="default"), one.keys)
    for item, one in references.of("ServiceAccount", kinds=_CONFIGURATION):
        yield ConfigReference(item, one.ref, one.keys)


def from_ingresses(references: References) -> Iterator[ConfigReference]:
    """Certificates that nobody is asked to issue."""
    for item, one in references.of("Ingress", kinds=_CONFIGURATION):
        if not any(word in key.lower() for key in annotations_of(item) for word in _MAKES_CERTIFICATES):
            yield ConfigReference(item, one.ref, one.keys)


def from_flux(references: References) -> Iterator[ConfigReference]:
    """What a release takes its values from, and a Kustomization its variables, unless optional."""
    for item, one in references.of("HelmRelease", "Kustomization", kinds=_CONFIGURATION):
        yield ConfigReference(item, one.ref, one.keys)


def from_charts(facts: SystemFacts, tree: AppliedTree) -> Iterator[ConfigReference]:
    """Secrets that a chart's values name and the chart does not create."""
    for item in tree.of("HelmRelease"):
        namespace = str(item.spec.get("targetNamespace") or item.ref.namespace)
        if not item.is_final:
            continue
        for named in facts.chart(tree, item).secrets(values_of(tree, item).certain):
            if isinstance(named.name, str) and named.name:
                yield ConfigReference(item, secret(namespace, named.name), named.keys)
