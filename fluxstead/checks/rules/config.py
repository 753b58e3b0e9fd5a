"""ConfigMaps and Secrets that pods, charts and Flux take their configuration from.

A pod that names a missing one that is not `optional` stays in ContainerCreating or CreateContainerConfigError
(Kubernetes, "Configure a Pod to Use a ConfigMap" and "Secrets"). Secrets are often created by hand, so a missing one is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fluxstead.catalog.nearest import nearest
from fluxstead.checks.objects.named import Named, by_charts, by_flux, by_ingresses, by_pods
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.reading.view import KUSTOMIZE, Item, View
from fluxstead.checks.rule import Rule
from fluxstead.checks.subject import Subject
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import mapping

DECRYPTION_KEY = warns(
    "references/decryption-key",
    "F22",
    "Kustomization flux-system/web decrypts with Secret flux-system/sops, but the description says flux-system/sops-age",
)
MISSING_CONFIG_MAP = refuses(
    "references/missing-config-map",
    "U5",
    "Deployment web/site takes its configuration from ConfigMap web/setings, which does not exist",
)
MISSING_SECRET = warns("references/missing-secret", "U5", "HelmRelease web/site needs Secret web/admin, which is not in the tree")
MISSING_VALUES = warns(
    "references/missing-values", "U5", "HelmRelease web/site takes values from ConfigMap web/setings, which is not in the tree"
)


def findings(subject: Subject) -> Iterator[Finding]:
    """What the tree names and does not contain."""
    if subject.view.partial:
        return
    missing: dict[ObjectRef, tuple[Item, set[str]]] = {}
    for one in _missing(subject):
        missing.setdefault(one.ref, (one.item, set()))[1].update(one.keys)
    for ref, (item, keys) in missing.items():
        if ref.kind == "Secret":
            yield _secret(subject, item, ref.namespace, ref.name, keys)
        elif item.ref.kind in {"HelmRelease", "Kustomization"}:
            yield _values(subject, item, ref.namespace, ref.name)
        else:
            yield _config_map(subject, item, ref.name, keys)


def _missing(subject: Subject) -> Iterator[Named]:
    view, makers, names = subject.view, subject.makers, subject.names
    for one in (*by_pods(names), *by_ingresses(names)):
        if not makers.may_make(one.ref):
            yield one
    # A release does not create what it is installed from, though it could create anything else in its namespace.
    for one in (*by_charts(subject.known, view), *by_flux(names)):
        if "${" not in str(one.ref) and not makers.made(one.ref):
            yield one


def decryption(subject: Subject) -> Iterator[Finding]:
    """The key that Kustomizations decrypt with. It can only be created by hand, and the description says what it is called."""
    known = subject.sops_secret
    if known is None:
        return
    for item in subject.view.of("Kustomization"):
        name = mapping(mapping(item.spec, "decryption"), "secretRef").get("name")
        if item.ref.group != KUSTOMIZE or not item.whole or name is None or (item.ref.namespace, name) == known:
            continue
        yield DECRYPTION_KEY(
            line_with(subject.view.store, item.document, str(name)),
            what=f"{item} decrypts with Secret {item.ref.namespace}/{name}, but the description says {'/'.join(known)}",
            why="unless both were created in the cluster by hand, nothing in this Kustomization is applied",
            write=f"{known[1]}, for a Kustomization in namespace {known[0]}",
        )


def _values(subject: Subject, item: Item, namespace: str, name: str) -> Finding:
    return MISSING_VALUES(
        line_with(subject.view.store, item.document, name),
        what=f"{item} takes values from ConfigMap {namespace}/{name}, which is not in the tree",
        why="unless somebody creates it in the cluster by hand, Flux applies nothing of it",
        write=nearest(name, _config_maps_in(subject.view, namespace)) or f"a ConfigMap {name} in namespace {namespace}",
    )


def _config_maps_in(view: View, namespace: str) -> list[str]:
    return [one.ref.name for one in view.of("ConfigMap") if (one.ref.namespace or "default") == namespace]


def _config_map(subject: Subject, item: Item, name: str, keys: Iterable[str]) -> Finding:
    view, namespace = subject.view, item.ref.namespace or "default"
    near = nearest(name, _config_maps_in(view, namespace))
    return MISSING_CONFIG_MAP(
        line_with(view.store, item.document, name),
        what=f"{item} takes its configuration from ConfigMap {namespace}/{name}, which does not exist",
        why="its pods wait for it forever, and never start",
        write=near or f"a ConfigMap {name} in namespace {namespace}{_with(keys)}, or optional: true",
    )


def _secret(subject: Subject, item: Item, namespace: str, name: str, keys: Iterable[str]) -> Finding:
    holding = _with(keys) or " with the keys that it reads"
    return MISSING_SECRET(
        line_with(subject.view.store, item.document, name),
        what=f"{item} needs Secret {namespace}/{name}, which is not in the tree",
        why="unless somebody creates it in the cluster by hand, what needs it does not start, log in or serve its certificate",
        write=f"a SOPS-encrypted Secret {name} in namespace {namespace}{holding}, in an included directory",
    )


def _with(keys: Iterable[str]) -> str:
    names = sorted(keys)
    return f" with the key{'s' if len(names) > 1 else ''} {' and '.join(names)}" if names else ""


RULES = (
    Rule(decryption, (DECRYPTION_KEY,)),
    Rule(findings, (MISSING_CONFIG_MAP, MISSING_SECRET, MISSING_VALUES)),
)
